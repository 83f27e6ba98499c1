"""npm packages for tests, installed once for a lock."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.databases import absent

_MOST_SECONDS = 480
"""For npm to fetch what the lock names, with its tries and the pauses between; a test may take longer."""
_FETCHING = {"npm_config_fetch_timeout": "60000"}
"""By itself npm waits five minutes for a connection that says nothing before it tries another."""


def npm(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run npm in a folder; skip the test where there is none, and fail where CI must have it."""
    command = shutil.which("npm")
    if command is None:
        absent("npm", FileNotFoundError("npm"))
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )


def install(folder: Path) -> None:
    """Install what the folder's lock names, unless it is there; skip where npm cannot, and fail in CI."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".lock-digest"
    if mark.exists() and mark.read_text() == lock:
        return
    done = npm(folder, "ci", "--no-audit", "--no-fund", **_FETCHING)
    if done.returncode:
        said = (done.stdout + done.stderr)[-1000:]
        absent(f"packages from npm for {folder.name}, which said {said}", OSError())
    mark.write_text(lock)
