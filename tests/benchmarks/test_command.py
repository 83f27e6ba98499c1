"""The command with tiny data measures everything, and every response is correct."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END
from benchmarks.suite import PARTS

OVER_SQL = {
    "W1 to W3 over SQLite": ["W1", "W2", "W2 as series", "W3"],
    "During W2 over SQLite": [
        "peak memory of one response, above idle",
        "memory after all responses, one of them cached, above idle",
        "longest time without a response of /healthz",
    ],
    "S1 to S3 over SQLite": [
        f"{name} {variant}" for name in ("S1", "S2", "S3") for variant in ("limit", "cold", "hot")
    ],
    "W5 over SQLite: W1 among more runs": ["without the index", "with the index"],
    "Aims": [
        "W1 cold / limit, SQLite",
        "W2 cold / limit, SQLite",
        "W2 as series cold / limit, SQLite",
        "W2 as series cold / limit of W2, SQLite",
        "W2 as series / W2 as history, SQLite",
        "W1 hot / static route, SQLite",
        "peak memory of W2 above idle / size of its response, SQLite",
        "longest gap of /healthz during W2, SQLite",
        "S1 cold / limit, p50 at 1 connection, SQLite",
        "S3 cold / limit, p50 at 1 connection, SQLite",
        "W5 without the index / limit, SQLite",
        "W5 with the index / W1, SQLite",
    ],
}
OVER_SERVER = {
    "S1, S2 and W1 to W3 over an mlflow server": ["S1", "S2", "W1", "W2", "W3"],
    "Aims": [
        "W1 over an mlflow server / raw calls",
        "W2 over an mlflow server / raw calls",
        "W3 over an mlflow server / raw calls",
        "W1 over an mlflow server / MlflowClient",
        "MlflowClient / W1 over an mlflow server, second time",
    ],
}
COSTS = {
    "Costs over SQLite": [
        "start to ready",
        "import of its libraries",
        "idle memory of a worker",
        "p99 of /healthz",
        "S1 with 2 workers",
        "S2 with 2 workers",
    ],
    "W6 over SQLite: runs to a data frame": ["4 runs of one experiment", "all 8 runs"],
    "Aims": [
        "idle memory of a worker, SQLite",
        "p99 of /healthz while 32 connections ask W1, SQLite",
        "start to ready / import of its libraries, SQLite",
        "S1 with 2 workers / with one, SQLite",
        "S2 with 2 workers / with one, SQLite",
    ],
}
GROUPS = {("sql", "small", "growth"): OVER_SQL, ("server",): OVER_SERVER, ("costs", "frames"): COSTS}


def _run(directory: Path, parts: Sequence[str]) -> str:
    page = directory / "performance.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    options = ["--quick", "--postgres", "", "--directory", str(directory), "--write", str(page)]
    options += [option for part in parts for option in ("--only", part)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return page.read_text()


def _rows(page: str, title: str) -> list[list[str]]:
    _, _, rest = page.partition(f"### {title}\n")
    part, _, _ = rest.partition("\n### ")
    lines = re.findall(r"^\| (.+) \|$", part, re.MULTILINE)
    return [line.split(" | ") for line in lines[2:]]


# It starts up to ten servers, one after another.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("parts", GROUPS, ids=" ".join)
def test_quick_run_fills_every_row(parts: tuple[str, ...], tmp_path: Path) -> None:
    """Each table has its rows without an empty name; an incorrect response would have ended the run."""
    page, expected = _run(tmp_path, parts), GROUPS[parts]
    assert {title: [row[0] for row in _rows(page, title)] for title in expected} == expected
    assert re.search(r"^- Machine: \d+ cores of .+, Linux .+; load average at the start", page, re.MULTILINE)
    assert re.search(r"Python 3\.\d+\.\d+, SQLite 3\.\d+\.\d+, no PostGraphile \(.+\), mlflow 3\.", page)


def test_quick_runs_cover_all_parts() -> None:
    """Each part of the benchmarks is in one of the quick runs."""
    assert sorted(part for parts in GROUPS for part in parts) == sorted(PARTS)
