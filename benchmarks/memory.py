"""What an answer adds to the memory of the process that gives it, from Linux's /proc."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_RESET_PEAK = "5"


def peak_above_idle(pid: int, work: Callable[[], Any]) -> int:
    """Do the work, and return how many bytes the process held at most beyond what it held before.

    The kernel keeps the peak itself, so that none falls between samples; -1 where there is no /proc.
    """
    process = Path(f"/proc/{pid}")
    if not process.exists():
        work()
        return -1
    (process / "clear_refs").write_text(_RESET_PEAK)
    idle = _status(process, "VmRSS")
    work()
    return _status(process, "VmHWM") - idle


def resident(pid: int) -> int:
    """Return how many bytes the process holds now; -1 where there is no /proc."""
    process = Path(f"/proc/{pid}")
    return _status(process, "VmRSS") if process.exists() else -1


def _status(process: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else -1
