"""The command line of the benchmarks.

python -m benchmarks
python -m benchmarks --postgres postgresql://postgres@127.0.0.1/ --write docs/performance.md
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.plan import FULL, QUICK, in_postgres, in_sqlite
from benchmarks.report import paste
from benchmarks.suite import PARTS, run

_DATA = Path(__file__).parent / ".data"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that the arguments select, and print the report."""
    options = _parser().parse_args(arguments)
    plan = QUICK if options.quick else FULL
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    options.directory.mkdir(parents=True, exist_ok=True)
    # The databases are large, and can be created again.
    (options.directory / ".gitignore").write_text("*\n")
    pairs = [in_sqlite(options.directory, plan)]
    if options.postgres:
        pairs.append(in_postgres(options.postgres, plan))
    text = run(plan, pairs, options.directory, options.only or PARTS)
    sys.stdout.write(f"{text}\n")
    if options.write:
        paste(text, options.write)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--directory", type=Path, default=_DATA, help="directory of databases and logs [%(default)s]")
    add(
        "--postgres",
        default=os.environ.get("BENCH_POSTGRES_URL", ""),
        help="also measure Postgres, on the server at this URL",
    )
    add("--rounds", type=int, help=f"number of times that each variant is measured [{FULL.rounds}]")
    add("--only", action="append", choices=PARTS, help="measure only this part; may be repeated")
    add("--quick", action="store_true", help="use tiny data and one round, to test that the benchmarks run")
    add(
        "--write",
        type=Path,
        metavar="PAGE",
        help="also write the report between the two markers of this page",
    )
    return parser
