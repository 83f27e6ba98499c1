"""The machine, the software and the data of a measurement."""

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

import mlflow

from benchmarks.dataset import Sizes


def describe(databases: Iterable[str], sizes: Sizes, rounds: int) -> str:
    """Return a description of the machine, the software and the data, in Markdown."""
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    software = [f"Python {platform.python_version()}", *databases, f"mlflow {mlflow.__version__}"]
    points = sizes.experiments * sizes.runs * sizes.metrics * sizes.points
    return f"""\
- Machine: {os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.release()}; \
load average at the start {load}.
- Software: {", ".join(software)}; each server has one worker.
- Data: {sizes.experiments} experiments x {sizes.runs} runs x {sizes.params} params x \
{sizes.metrics} metrics x {sizes.points} points ({points:,} points).
- Times are in milliseconds: median (minimum to maximum) of {rounds} rounds, \
in which all variants take turns."""


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    match = re.search(r"model name\s*: (.+)", information.read_text()) if information.exists() else None
    return match[1] if match else platform.processor()
