"""uv, which resolves and installs packages faster than pip."""

import os
import shutil
import sys
from pathlib import Path

from tests.support.programs import run_program
from tests.support.requirements import skip_or_fail

_NO_ANSWER = 2
"""uv's exit code if it cannot reach the index; it is 1 if the index has no fitting packages."""


def run_uv(*arguments: str) -> str:
    """Run uv until it exits, and return what it prints.

    Without uv or a package index the test is skipped; in CI it fails. Raises `RuntimeError` with uv's message
    for any other error.
    """
    result = run_program(_executable(), "--quiet", *arguments, accepted=(0, _NO_ANSWER))
    if result.returncode:
        skip_or_fail("package index for uv", ConnectionError(result.stderr))
    return result.stdout


def _executable() -> str:
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    executable = shutil.which("uv", path=search)
    if executable is None:
        skip_or_fail("uv", FileNotFoundError())
    return executable
