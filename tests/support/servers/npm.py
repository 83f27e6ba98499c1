"""npm packages for tests, installed once per lock file."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.requirements import skip_or_fail

_TIMEOUT = 480
"""Seconds for npm to install the packages of a lock, retries included; the timeout of a test is longer."""
_FETCH_OPTIONS = {"npm_config_fetch_timeout": "60000"}
"""By default npm waits five minutes for a silent connection before it retries."""


def npm(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run npm in a folder; without npm, skip the test, or fail it in CI."""
    command = shutil.which("npm")
    if command is None:
        skip_or_fail("npm", FileNotFoundError())
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def install(folder: Path) -> None:
    """Install the packages of the folder's lock unless installed; if npm fails, skip, or fail in CI."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    marker = folder / "node_modules" / ".lock-digest"
    if marker.exists() and marker.read_text() == lock:
        return
    result = npm(folder, "ci", "--no-audit", "--no-fund", **_FETCH_OPTIONS)
    if result.returncode:
        output = (result.stdout + result.stderr)[-1000:]
        skip_or_fail(f"npm packages of {folder.name}; npm printed {output}", OSError())
    marker.write_text(lock)
