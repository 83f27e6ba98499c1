"""The time from the start of the server to its first readiness, beside the import of its libraries."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.process import gql_server

LIBRARIES = (
    "strawberry",
    "sqlalchemy",
    "starlette.applications",
    "uvicorn",
    "orjson",
    "pydantic_settings",
    "numpy",
)
_IMPORT = f"import {', '.join(LIBRARIES)}"


def startup(database_uri: str, logs: Path, rounds: int) -> tuple[float, float]:
    """Return the median seconds of a start, and those of a process that imports the libraries."""

    def start() -> float:
        began = time.perf_counter()
        with gql_server(database_uri, logs, path="/readyz"):
            return time.perf_counter() - began

    # The first of each reads files from the disk.
    start(), _import()
    times = [(start(), _import()) for _ in range(rounds)]
    starts, imports = zip(*times, strict=True)
    return median(starts), median(imports)


def _import() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _IMPORT], check=True)  # noqa: S603
    return time.perf_counter() - began
