"""The `schema` package does not depend on HTTP, on MLflow or on the server."""

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
"""The packages that `schema` must not import."""


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def _foreign(source: str) -> set[str]:
    return {name for name in _imported(source) if name.partition(".")[0] in FOREIGN}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_module_has_no_foreign_imports(path: Path) -> None:
    """No module imports a foreign package, not even in a function or only for type checking."""
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
    """An import is found in functions, conditions and try statements."""
    assert _foreign(source)


def test_importing_the_schema_loads_no_foreign_package() -> None:
    """Importing the schema does not load a foreign package indirectly."""
    program = "import sys, schema.build; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=FOLDER.parent
    )
    assert FOREIGN & set(result.stdout.split()) == set()


def test_every_module_has_a_docstring() -> None:
    """The docstring of each module begins with a sentence."""
    for path in FOLDER.rglob("*.py"):
        summary = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
        assert summary.endswith("."), path.name
