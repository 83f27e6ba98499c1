"""``python -m gql_server.demo DIRECTORY``: fill a demo store and print its tracking URI."""

from __future__ import annotations

from pathlib import Path

import click

from gql_server.demo.directory import DemoDirectoryError
from gql_server.demo.fill import fill
from gql_server.demo.terminal import terminal_progress


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def main(directory: Path) -> None:
    """Fill DIRECTORY with a local MLflow store of real runs, unless it is filled already."""
    try:
        with terminal_progress() as progress:
            uri = fill(directory, progress)
    except DemoDirectoryError as error:
        raise click.ClickException(str(error)) from error
    click.echo(uri)


if __name__ == "__main__":
    main()
