"""The memory of a process, from Linux's /proc."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_RESET_PEAK = "5"


def peak_above_idle(pid: int, work: Callable[[], Any]) -> int:
    """Run `work`, and return the peak of the process's memory in bytes above its memory before.

    The kernel records the peak, so that no sampling misses it. Returns -1 without /proc.
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
    """Return the resident memory of the process in bytes, or -1 without /proc."""
    process = Path(f"/proc/{pid}")
    return _status(process, "VmRSS") if process.exists() else -1


def _status(process: Path, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    return int(match[1]) * 1024 if match else -1
