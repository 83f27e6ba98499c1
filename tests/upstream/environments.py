"""Virtual environments with one version of MLflow each. uv makes them on demand, and they are kept."""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from packaging.version import Version

from tests.support.programs import run_program
from tests.support.uv import run_uv

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = Path(os.environ.get("GQL_TEST_ENVIRONMENTS") or ROOT / ".mlflow").resolve()
"""The folder of the environments. One with mlflow-skinny takes 0.2 GB, one with mlflow 0.5 to 1 GB."""

_DRIVERS = ("alembic", "pandas", "psycopg[binary]", "psycopg2-binary", "pymysql")
_CURRENT = ("sqlalchemy",)
_OLD = ("sqlalchemy<2.1", "setuptools<81")
"""MLflow before 3.10 imports a pool that SQLAlchemy 2.1 lacks, and before 3 `pkg_resources`."""

_WITHOUT_SKINNY = {"3.18.0": "3.17.2"}
"""Versions of mlflow whose mlflow-skinny is not published, and the version whose requirements they take."""

_IMPORTED = {"skinny": "mlflow.store.tracking.sqlalchemy_store", "full": "mlflow.server"}


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


def resolved_on() -> str:
    """Return the day of constraints.txt.

    uv takes no package that was published later, so that an environment is the same on each machine.
    """
    (day,) = re.findall(r"published before ([\d-]+)", (ROOT / "constraints.txt").read_text())
    return str(day)


def _bounds(version: str) -> tuple[str, ...]:
    return _OLD if Version(version) < Version("3.10") else _CURRENT


@cache
def environment_python(kind: str, requirements: tuple[str, ...], replacement: str | None = None) -> Path:
    """Return the Python of the environment with these requirements, and make it first if it is not complete.

    The first requirement is the version of MLflow. `replacement` replaces its files, without requirements.
    """
    replacements = [replacement] if replacement else []
    inputs = "\n".join([resolved_on(), platform.python_version(), *requirements, *replacements])
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
    run_uv("venv", "--python", sys.executable, str(folder))
    pip = ("pip", "install", "--python", str(folder), "--exclude-newer", f"{resolved_on()}T00:00:00Z")
    run_uv(*pip, *requirements)
    if replacements:
        run_uv(*pip, "--no-deps", "--reinstall", *replacements)
    # This checks the environment, and writes the bytecode: a later start takes 3 seconds in place of 9.
    run_program(str(folder / "bin" / "python"), "-c", f"import {_IMPORTED[kind]}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock an environment against other test processes. The lock of a killed process is released."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
