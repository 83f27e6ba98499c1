"""Show the progress of a fill on stderr: a bar on a terminal, two lines in a file."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gql_server.demo.fill import Progress

_TICKS = 1000


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """Yield the progress callback of ``fill``, which prints nothing for a store that is filled already."""
    if sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        with _lines() as progress:
            yield progress


@contextmanager
def _bar() -> Iterator[Progress]:
    with click.progressbar(
        length=_TICKS, label="Filling the demo store", item_show_func=str, show_eta=False, file=sys.stderr
    ) as bar:

        def progress(label: str, fraction: float) -> None:
            bar.update(round(fraction * _TICKS) - bar.pos, label)

        yield progress


@contextmanager
def _lines() -> Iterator[Progress]:
    started = False

    def progress(_label: str, fraction: float) -> None:
        nonlocal started
        if fraction < 1.0 and not started:
            started = True
            click.echo("Filling the demo store (takes about ten seconds) ...", err=True)

    yield progress
    if started:
        click.echo("The demo store is filled.", err=True)
