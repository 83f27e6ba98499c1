"""Runs the client of another version of MLflow, in its own environment."""

import json
from pathlib import Path

from tests.support.programs import run_program
from tests.upstream.environments import skinny_python
from tests.upstream.questions.answers import Answers

_ROOT = Path(__file__).parents[2]
_SECONDS = 240
"""Imports and a migration take 5 to 15 s on an idle core."""


def fill_store(version: str, uri: str, artifacts: str, folder: Path) -> None:
    """Fill an empty database with the client of a version. It runs in a folder, where it may leave files."""
    _run(version, "tests.upstream.scripts.fill_store", folder, uri, artifacts)


def upgrade_database(version: str, uri: str, folder: Path) -> None:
    """Migrate a database to the revision of a version, as its owner does."""
    _run(version, "mlflow", folder, "db", "upgrade", uri)


def ask_client(version: str, uri: str, folder: Path) -> Answers:
    """Return what the client of a version answers about a store."""
    return Answers(json.loads(_run(version, "tests.upstream.scripts.answer", folder, uri)))


def _run(version: str, module: str, folder: Path, *arguments: str) -> str:
    command = (str(skinny_python(version)), "-W", "ignore", "-m", module, *arguments)
    environment = {"PYTHONPATH": str(_ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONUTF8": "1"}
    return run_program(*command, folder=folder, environment=environment, seconds=_SECONDS).stdout
