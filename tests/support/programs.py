"""Programs that run until they exit."""

import os
import subprocess

_SECONDS = 600
"""For the download of 0.4 GB over a slow network."""


def run_program(*command: str, accepted: tuple[int, ...] = (0,)) -> "subprocess.CompletedProcess[str]":
    """Run a program without the variables of this Python; raise `RuntimeError` for another exit code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if result.returncode not in accepted:
        message = f"{' '.join(command)} failed:\n{result.stderr}"
        raise RuntimeError(message)
    return result
