"""The whole command over tiny data: all is measured and every answer is right, however long it takes."""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.report import BEGIN, END

ROWS = {
    "W1 to W3 over SQLite": ["W1", "W2", "W2 as series", "W3"],
    "W4 over SQLite: one run by its id, 32 connections, 64 requests": ["cold", "hot"],
    "While W2 is answered, over SQLite": [
        "memory above idle, at most, in one of many",
        "held after all of them, one cached",
        "longest time without an answer to /healthz",
    ],
    "W5 over SQLite: W1 among more runs": ["as MLflow's tables are", "with the index"],
    "W1 to W3 over an mlflow server": ["W1", "W2", "W3"],
    "Aims": [
        "W1 cold / its own limit, SQLite",
        "W2 cold / its own limit, SQLite",
        "W2 as series cold / its own limit, SQLite",
        "W2 as series cold / limit of W2, SQLite",
        "W2 as series / W2 as history, SQLite",
        "W1 hot / static route, SQLite",
        "memory above idle / size of W2, SQLite",
        "event loop while W2 is answered, SQLite",
        "W5 as the tables are / its own limit, SQLite",
        "W5 with the index / W1, SQLite",
        "W1 over an mlflow server / fewest raw calls",
        "W2 over an mlflow server / fewest raw calls",
        "W3 over an mlflow server / fewest raw calls",
    ],
}


def _run(directory: Path) -> str:
    page = directory / "performance.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    options = ["--quick", "--directory", str(directory), "--write", str(page)]
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


def test_a_quick_run_fills_every_row(tmp_path: Path) -> None:
    """Each table has its rows, and no cell of a row is empty; a wrong answer would have ended the run."""
    page = _run(tmp_path)
    assert {title: [row[0] for row in _rows(page, title)] for title in ROWS} == ROWS
    assert all(cell.strip() for title in ROWS for row in _rows(page, title) for cell in row)
    assert re.search(r"^- Machine: \d+ cores of .+, Linux .+; load average at the start", page, re.MULTILINE)
    assert re.search(r"Python 3\.\d+\.\d+, SQLite 3\.\d+\.\d+, mlflow 3\.", page)
