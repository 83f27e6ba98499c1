"""The graph knows GraphQL, and neither HTTP nor MLflow nor the server that it is plugged into."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import schema

FOLDER = Path(schema.__file__).parent
FOREIGN = {
    "gql_server",
    "starlette",
    "uvicorn",
    "mlflow",
    "sqlalchemy",
    "azureml",
    "aiocache",
    "redis",
    "requests",
}


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def _foreign(source: str) -> set[str]:
    return {name for name in _imported(source) if name.partition(".")[0] in FOREIGN}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_imports(path: Path) -> None:
    """No module of the graph imports what it must not know, not in a function and not for types alone."""
    assert _foreign(path.read_text()) == set()


@pytest.mark.parametrize(
    "source",
    [
        "import mlflow",
        "import mlflow.entities as entities",
        "def later():\n    from starlette.requests import Request",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gql_server import app",
        "try:\n    import os, sqlalchemy\nexcept ImportError:\n    pass",
    ],
)
def test_foreign_imports_are_found(source: str) -> None:
    """Wherever such an import stands, it is found."""
    assert _foreign(source)


def test_what_is_loaded() -> None:
    """Importing the graph loads none of it either, by whatever way."""
    program = "import sys, schema.build; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=FOLDER.parent
    )
    assert FOREIGN & set(done.stdout.split()) == set()


def test_every_module_says_what_it_is() -> None:
    """Each module of the graph begins with a sentence."""
    for path in FOLDER.rglob("*.py"):
        summary = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
        assert summary.endswith("."), path.name
