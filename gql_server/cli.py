"""The command `gql-server`: serve, demo, schema."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from gql_server import __version__
from gql_server.config.settings import Settings

_EXIT_UNUSABLE = 2


class CommandError(click.ClickException):
    """Something that must be mended before the server can start: one line on stderr, exit code 2."""

    exit_code = _EXIT_UNUSABLE


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gql-server")
def main() -> None:
    """One GraphQL graph over MLflow tracking."""


def _settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each setting; what is left out comes from the environment."""
    for name, field in reversed(Settings.model_fields.items()):
        flag = name.replace("_", "-")
        declared = f"--{flag}/--no-{flag}" if field.annotation is bool else f"--{flag}"
        told = str(field.default).lower() if isinstance(field.default, bool) else field.default
        default = "" if told in ("", None) else f" [default: {told}]"
        option = click.option(declared, name, default=None, help=f"{field.description}{default}")
        command = option(command)
    return command


@main.command()
@_settings_options
def serve(**options: str | bool | None) -> None:
    """Serve the graph over the MLflow store at --tracking-uri.

    Each option is a setting too: --store-timeout is GQL_STORE_TIMEOUT in the environment.
    """
    run_server(settings_from(options))


@main.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-store"),
    show_default=True,
    help="Where the demo's store is kept; filled on the first start.",
)
@_settings_options
def demo(directory: Path, **options: str | bool | None) -> None:
    """Fill a local MLflow store with real runs, once, and serve it."""
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
@click.option("--read-only", is_flag=True, help="Without what is served only with --writable.")
def schema(*, read_only: bool) -> None:
    """Print the schema in GraphQL's schema definition language."""
    from schema.build import build_schema  # noqa: PLC0415 - takes a moment to import

    click.echo(build_schema(writable=not read_only).as_str())


@main.command()
@click.argument("name")
@click.option("--write", is_flag=True, help="Whether its bearer may change things, and not only read.")
def key(name: str, *, write: bool) -> None:
    """Make an API key for NAME, and the line for the file of keys (GQL_API_KEYS_FILE)."""
    from gql_server.auth.api_keys import ApiKeysFileError, new_key  # noqa: PLC0415

    try:
        made, line = new_key(name, write=write)
    except ApiKeysFileError as error:
        raise CommandError(str(error)) from None
    click.echo(f"The key, which is shown this once: {made}")
    click.echo(f"The line for the file of keys: {line}")


def settings_from(options: dict[str, Any]) -> Settings:
    """Return the settings that the options and the environment give; Unstartable names what is wrong."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        # What a check of ours says is whole as it is; pydantic's own words do without the setting's name.
        text = first["msg"].removeprefix("Value error, ")
        message = f"setting {place}: {text}" if place else text
        raise CommandError(message) from None


def run_server(settings: Settings, announce: Callable[[str], str] | None = None) -> None:
    """Serve until told to stop; raise Unstartable for what would never come right by itself."""
    from gql_server.serving import StartupError, serve_forever  # noqa: PLC0415 - takes a moment to import

    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        serve_forever(settings, announce)
    except StartupError as error:
        raise CommandError(str(error)) from None


if __name__ == "__main__":
    main()
