"""The examples of property tests: the same on every machine, and random only in `make fuzz`."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fuzz import ROUND, run_rounds
from tests.test_packaging import ROOT


def test_default_profile_draws_the_same_examples(request: pytest.FixtureRequest) -> None:
    """The default profile is derandomized, has no database and no deadline for an example."""
    requested = request.config.getoption("--hypothesis-profile")
    assert settings.get_current_profile_name() == (requested or "tests")
    tests = settings.get_profile("tests")
    assert (tests.derandomize, tests.database, tests.deadline) == (True, None, None)


def test_round_runs_property_tests_with_more_random_examples() -> None:
    """A round selects the property tests, draws more examples and stores the failing ones."""
    fuzz = settings.get_profile("fuzz")
    assert (fuzz.derandomize, fuzz.deadline) == (False, None)
    assert fuzz.database is not None
    options = ["-n0", "--hypothesis-show-statistics", "tests/schema/types/test_scalars.py"]
    output = subprocess.run([*ROUND, *options], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert " passed" in output
    assert " deselected" in output
    assert "max_examples=300" in output
    assert "max_examples=100," not in output


def test_failing_round_is_the_last(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A failing round ends the run with its exit status, and the output has the command to repeat it."""
    seen = tmp_path / "seen"
    program = f"import pathlib, sys; p = pathlib.Path({str(seen)!r}); p.write_text(p.read_text() + 'x')"
    seen.write_text("")
    command = [sys.executable, "-c", f"{program}; sys.exit(7 * (p.read_text() == 'xxx'))"]
    assert run_rounds(60, command) == 7
    assert seen.read_text() == "xxx"
    output = capfd.readouterr().out
    assert "Round 3 failed" in output
    assert f"{sys.executable} -c" in output
    assert "--last-failed" in output


def test_no_round_starts_after_the_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A round that started in time finishes, and the output reports no failure."""
    command = [sys.executable, "-c", f"open({str(tmp_path / 'seen')!r}, 'a').write('x')"]
    assert run_rounds(0, command) == 0
    assert (tmp_path / "seen").read_text() == "x"
    assert capfd.readouterr().out == "Round 1\n"
