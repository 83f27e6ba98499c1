"""The command: what to measure, where to keep it, where to write it.

python -m benchmarks
python -m benchmarks --postgres postgresql://postgres@127.0.0.1/ --write docs/performance.md
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.course import PARTS, run
from benchmarks.plan import FULL, QUICK, in_postgres, in_sqlite
from benchmarks.report import paste

_KEPT = Path(__file__).parent / ".data"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments ask for and print it."""
    given = _parser().parse_args(arguments)
    plan = QUICK if given.quick else FULL
    plan = replace(plan, rounds=given.rounds or plan.rounds)
    given.directory.mkdir(parents=True, exist_ok=True)
    # What is kept here is made, and large.
    (given.directory / ".gitignore").write_text("*\n")
    pairs = [in_sqlite(given.directory, plan)]
    if given.postgres:
        pairs.append(in_postgres(given.postgres, plan))
    text = run(plan, pairs, given.directory, given.only or PARTS)
    sys.stdout.write(f"{text}\n")
    if given.write:
        paste(text, given.write)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--directory", type=Path, default=_KEPT, help="where databases and logs are kept [%(default)s]")
    add("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", ""), help="a server to make databases on")
    add("--rounds", type=int, help=f"turns that each one has [{FULL.rounds}]")
    add("--only", action="append", choices=PARTS, help="measure only this; may be repeated")
    add("--quick", action="store_true", help="tiny data and few turns: whether it runs, not how fast")
    add("--write", type=Path, metavar="PAGE", help="also put the text between the two markers of this page")
    return parser
