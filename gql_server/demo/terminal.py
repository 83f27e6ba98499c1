"""How far a fill has come, on stderr: a bar for people, two lines for a log file."""

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
    """Give ``fill`` something to tell its progress to; a full store prints nothing."""
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
    began = False

    def progress(_label: str, fraction: float) -> None:
        nonlocal began
        if fraction < 1.0 and not began:
            began = True
            click.echo("Filling the demo store, about ten seconds ...", err=True)

    yield progress
    if began:
        click.echo("The demo store is full.", err=True)
