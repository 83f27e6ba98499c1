"""Virtual environments with one version of MLflow each. uv makes them on demand, and they are kept."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from packaging.version import Version

from tests.support.requirements import skip_or_fail

ENVIRONMENTS = Path(
    os.environ.get("GQL_TEST_ENVIRONMENTS") or Path(__file__).parents[2] / ".mlflow"
).resolve()
"""The folder of the environments. One with mlflow-skinny takes 0.2 GB, one with mlflow 0.5 to 1 GB."""

RESOLVED_ON = "2026-11-29T00:00:00Z"
"""uv takes no package that was published later, so that an environment is the same on each machine."""

_DRIVERS = ("alembic", "pandas", "psycopg[binary]", "psycopg2-binary", "pymysql")
_CURRENT = ("sqlalchemy",)
_OLD = ("sqlalchemy<2.1", "setuptools<81")
"""MLflow before 3.10 imports a pool that SQLAlchemy 2.1 lacks, and before 3 `pkg_resources`."""

_WITHOUT_SKINNY = {"3.18.0": "3.17.2"}
"""Versions of mlflow whose mlflow-skinny is not published, and the version whose requirements they take."""

_IMPORTED = {"skinny": "mlflow.store.tracking.sqlalchemy_store", "full": "mlflow.server"}

_NO_ANSWER = 2
"""uv's exit code if it cannot reach the index; it is 1 if the index has no fitting packages."""

_SECONDS = 600
"""For the download of 0.4 GB over a slow network."""


def skinny_python(version: str) -> Path:
    """Return the Python of an environment with a version of mlflow-skinny that opens SQL stores.

    Without uv or a package index the test is skipped; in CI it fails.
    """
    return _version_python("skinny", version, "mlflow-skinny")


def full_python(version: str) -> Path:
    """Return the Python of an environment with a version of the full mlflow, for `mlflow server`.

    Without uv or a package index the test is skipped; in CI it fails.
    """
    return _version_python("full", version, "mlflow", "flask-wtf")


def _version_python(kind: str, version: str, *packages: str) -> Path:
    resolved = _WITHOUT_SKINNY.get(version, version)
    requirements = (f"{packages[0]}=={resolved}", *packages[1:], *_DRIVERS, *_bounds(version))
    return environment_python(kind, requirements, None if resolved == version else f"mlflow=={version}")


def _bounds(version: str) -> tuple[str, ...]:
    return _OLD if Version(version) < Version("3.10") else _CURRENT


@cache
def environment_python(kind: str, requirements: tuple[str, ...], replacement: str | None = None) -> Path:
    """Return the Python of the environment with these requirements, and make it first if it is not complete.

    The first requirement is the version of MLflow. `replacement` replaces its files, without requirements.
    """
    replacements = [replacement] if replacement else []
    inputs = "\n".join([RESOLVED_ON, platform.python_version(), *requirements, *replacements])
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:8]
    version = (replacement or requirements[0]).partition("==")[2]
    folder = ENVIRONMENTS / f"{kind}-{version}-{digest}"
    complete = folder / "complete"
    with _locked(ENVIRONMENTS / f"{folder.name}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, kind, requirements, replacements)
            complete.touch()
    return folder / "bin" / "python"


def _make(folder: Path, kind: str, requirements: tuple[str, ...], replacements: list[str]) -> None:
    uv = _uv_executable()
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    pip = (uv, "pip", "install", "--quiet", "--python", str(folder))
    result = _run(*pip, "--exclude-newer", RESOLVED_ON, *requirements, accepted=(0, _NO_ANSWER))
    if result.returncode:
        skip_or_fail("package index for uv", ConnectionError(result.stderr))
    if replacements:
        _run(*pip, "--no-deps", "--reinstall", *replacements)
    # This checks the environment, and writes the bytecode: a later start takes 3 seconds in place of 9.
    _run(str(folder / "bin" / "python"), "-c", f"import {_IMPORTED[kind]}")


def _run(*command: str, accepted: tuple[int, ...] = (0,)) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if result.returncode not in accepted:
        message = f"{' '.join(command)} failed:\n{result.stderr}"
        raise RuntimeError(message)
    return result


def _uv_executable() -> str:
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    executable = shutil.which("uv", path=search)
    if executable is None:
        skip_or_fail("uv", FileNotFoundError())
    return executable


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock an environment against other test processes. The lock of a killed process is released."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
