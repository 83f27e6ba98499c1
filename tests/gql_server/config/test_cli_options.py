"""The options of the command line follow the settings: names, types, choices, bounds and order."""

import re
from collections.abc import Sequence
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gql_server.config.cli_options import SettingsCommand
from gql_server.config.settings import SUBJECTS, Settings

HELP_WIDTH = 120


def run(arguments: Sequence[str], given: dict[str, Any] | None = None) -> Result:
    """Run a command that has an option for each setting; it puts what was given into `given`."""

    @click.command(cls=SettingsCommand, name="serve")
    @click.option("--directory", help="Not a setting.")
    def serve(**options: Any) -> None:
        if given is not None:
            given.update({name: value for name, value in options.items() if value is not None})

    return CliRunner().invoke(serve, arguments, terminal_width=HELP_WIDTH)


def sections() -> dict[str, str]:
    """Return the sections of the help by heading, the usage without one."""
    usage, *rest = re.split(r"^(?=\S[^\n]*:\n)", run(["--help"]).output, flags=re.MULTILINE)
    return {"": usage} | {heading: text for heading, _, text in (part.partition(":\n") for part in rest)}


def test_help_has_a_section_for_each_subject() -> None:
    """The help lists each setting once, under the heading of its subject; other options come first."""
    by_heading = sections()
    assert list(by_heading) == ["", "Options", *SUBJECTS]
    assert re.findall(r"^  (--[a-z-]+)", by_heading["Options"], re.MULTILINE) == ["--directory", "--help"]
    for subject, group in SUBJECTS.items():
        flags = re.findall(r"^  --([a-z-]+)", by_heading[subject], re.MULTILINE)
        assert flags == [name.replace("_", "-") for name in group.model_fields]


def test_help_names_choices() -> None:
    """An option with fixed values lists them."""
    text = run(["--help"]).output
    for option in (
        "--auth [off|keys|jwt|pass-through]",
        "--documents-mode [off|allow|only]",
        "--log-level [critical|error|warning|info|debug]",
        "--azure-edition [2024|2022]",
        "--writable / --no-writable",
    ):
        assert f"  {option} " in text.replace("\n", " \n")


def test_help_shows_types_and_bounds() -> None:
    """Numbers are INTEGER or FLOAT with their bounds, and each default is shown as it can be given."""
    text = " ".join(run(["--help"]).output.split())
    for expected in (
        "--port INTEGER Port to listen on; 0 chooses a free port. [default: 8000] [0<=x<=65535]",
        "--max-compared-runs INTEGER Maximum runs of one `compareRuns`. [default: 100] [x>0]",
        "--max-upload-bytes INTEGER Maximum bytes of one uploaded file. [default: 1000000000] [x>0]",
        "--cache-timeout FLOAT Seconds to wait for Redis.",
        "--host TEXT Address to listen on. [default: 127.0.0.1]",
    ):
        assert expected in text


def test_values_have_the_types_of_their_settings() -> None:
    """Numbers and switches arrive converted; an option that is not given leaves its setting alone."""
    given: dict[str, Any] = {}
    arguments = ["--port", "1234", "--jwt-leeway", "2", "--auth", "keys", "--no-access-log"]
    assert run(arguments, given).exit_code == 0
    assert given == {"port": 1234, "jwt_leeway": 2.0, "auth": "keys", "access_log": False}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_options_accept_their_defaults(name: str) -> None:
    """Giving the default of a setting on the command line sets the same value."""
    given: dict[str, Any] = {}
    default = Settings.model_fields[name].default
    flag = name.replace("_", "-")
    switch = f"--{flag}" if default is True else f"--no-{flag}"
    arguments = [switch] if isinstance(default, bool) else [f"--{flag}", str(default)]
    assert run(arguments, given).exit_code == 0
    assert given == {name: default}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--auth", "none"], "'--auth': 'none' is not one of 'off', 'keys', 'jwt', 'pass-through'."),
        (["--port", "99999"], "'--port': 99999 is not in the range 0<=x<=65535."),
        (["--workers", "0"], "'--workers': 0 is not in the range 0<x<=64."),
        (["--max-cost", "much"], "'--max-cost': 'much' is not a valid integer."),
        (["--store-timeout", "never"], "'--store-timeout': 'never' is not a valid float."),
    ],
)
def test_invalid_value_is_reported_in_one_line(arguments: list[str], message: str) -> None:
    """A value of an invalid type, or outside its bounds, is one line that names the option; exit code 2."""
    result = run(arguments)
    assert (result.exit_code, result.output) == (2, f"Error: Invalid value for {message}\n")
