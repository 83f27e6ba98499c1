"""Programs that run until they exit."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SECONDS = 600
"""For the download of 0.4 GB over a slow network."""
_MAX_LENGTH = 4000
"""Characters of the end of a program's messages that an error has."""


def run_program(
    *command: str,
    accepted: tuple[int, ...] = (0,),
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = _SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run a program in a folder, without the variables of this Python and with those of `environment`.

    Raises `RuntimeError` for another exit code than the accepted ones.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        command,
        cwd=folder,
        env=inherited | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if result.returncode not in accepted:
        message = f"{' '.join(command)} failed:\n{result.stderr[-_MAX_LENGTH:]}"
        raise RuntimeError(message)
    return result
