"""The command `gql-server` with its subcommands `serve`, `demo`, `schema` and `key`."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from gql_server import __version__
from gql_server.config.cli_options import SettingsCommand
from gql_server.config.settings import Settings


class CommandError(click.ClickException):
    """An error that ends the command with one line on stderr and exit code 2."""

    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gql-server")
def main() -> None:
    """Serve an MLflow store as one GraphQL graph."""


@main.command(cls=SettingsCommand)
def serve(**options: Any) -> None:
    """Serve the MLflow store at --tracking-uri.

    Each option is also an environment variable: --store-timeout is GQL_STORE_TIMEOUT.
    """
    run_server(settings_from(options))


@main.command(cls=SettingsCommand)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-store"),
    show_default=True,
    help="Directory of the demo store. The first start fills it.",
)
def demo(directory: Path, **options: Any) -> None:
    """Fill a local MLflow store with example runs and serve it."""
    from gql_server.demo.directory import DemoDirectoryError  # noqa: PLC0415 - only this command needs it
    from gql_server.demo.fill import fill  # noqa: PLC0415
    from gql_server.demo.terminal import terminal_progress  # noqa: PLC0415
    from gql_server.demo.welcome import welcome  # noqa: PLC0415

    try:
        with terminal_progress() as progress:
            uri = fill(directory, progress)
    except DemoDirectoryError as error:
        raise CommandError(str(error)) from None
    settings = settings_from(options | {"tracking_uri": uri})
    run_server(settings, announce=welcome)


@main.command()
@click.option("--read-only", is_flag=True, help="Leave out what is served only with --writable.")
def schema(*, read_only: bool) -> None:
    """Print the schema in GraphQL's schema definition language."""
    from schema.build import build_schema  # noqa: PLC0415 - takes a moment to import

    click.echo(build_schema(writable=not read_only).as_str())


@main.command()
@click.argument("name")
@click.option("--write", is_flag=True, help="Allow writes with this key. By default it only reads.")
def key(name: str, *, write: bool) -> None:
    """Make an API key for the caller NAME, and its line for the file of API keys (GQL_API_KEYS_FILE)."""
    from gql_server.auth.api_keys import ApiKeysFileError, new_key  # noqa: PLC0415

    try:
        api_key, line = new_key(name, write=write)
    except ApiKeysFileError as error:
        raise CommandError(str(error)) from None
    click.echo(f"The key, which is shown only once: {api_key}")
    click.echo(f"The line for the file of API keys: {line}")


def settings_from(options: dict[str, Any]) -> Settings:
    """Return the settings that the options and the environment define; raise CommandError for a bad value."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        setting = ".".join(map(str, first["loc"]))
        # The messages of this project's validators name the setting already; those of pydantic do not.
        text = first["msg"].removeprefix("Value error, ")
        message = f"setting {setting}: {text}" if setting else text
        raise CommandError(message) from None


def run_server(settings: Settings, announce: Callable[[str], str] | None = None) -> None:
    """Serve until a signal stops the process; raise CommandError if the server cannot start."""
    from gql_server.serving import StartupError, serve_forever  # noqa: PLC0415 - takes a moment to import

    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        serve_forever(settings, announce)
    except StartupError as error:
        raise CommandError(str(error)) from None


if __name__ == "__main__":
    main()
