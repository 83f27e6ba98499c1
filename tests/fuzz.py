"""Run the property tests with random examples, round after round: `python -m tests.fuzz MINUTES`."""

import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count

import click

# Hypothesis reports a time limit inside a test as a failing example. This one ends the process instead, and
# leaves time to shrink an example.
ROUND = (
    *(sys.executable, "-m", "pytest", "-m", "hypothesis", "--hypothesis-profile=fuzz"),
    *("--timeout=1800", "--timeout-method=thread"),
)
_FAILED = """
Round {number} failed. The failing examples are stored in .hypothesis; this command runs them first:
    {command}
"""


def run_rounds(minutes: float, command: Sequence[str] = ROUND) -> int:
    """Run rounds until the time is over or one fails; return the exit status of the last."""
    end = time.monotonic() + 60 * minutes
    for number in count(1):
        click.echo(f"Round {number}")
        status = subprocess.run(command, check=False).returncode
        if status:
            click.echo(_FAILED.format(number=number, command=" ".join([*command, "--last-failed"])))
        if status or time.monotonic() >= end:
            break
    return status


if __name__ == "__main__":
    sys.exit(run_rounds(float(sys.argv[1])))
