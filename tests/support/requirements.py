"""Programs and servers that tests require: without one, a test is skipped, or fails in CI."""

import os
from typing import NoReturn

import pytest


def skip_or_fail(requirement: str, error: Exception) -> NoReturn:
    """Skip the test because of a missing requirement; fail it in CI, where the variable `CI` is set."""
    reason = f"missing requirement: {requirement} ({type(error).__name__})"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; no test is skipped in CI")
    pytest.skip(reason)
