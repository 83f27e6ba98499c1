"""An environment has the version of MLflow that was asked for, and is made once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import mlflow
import pytest

from tests.support.servers.free_ports import free_port
from tests.upstream import environments
from tests.upstream.environments import environment_python, full_python, skinny_python

_STORE = """
import sys
import mlflow
client = mlflow.MlflowClient(f"sqlite:///{sys.argv[1]}")
run = client.create_run("0").info.run_id
client.log_metric(run, "loss", 0.5)
client.create_registered_model("model")
print(mlflow.__version__, client.get_run(run).data.metrics)
"""


@pytest.fixture(autouse=True)
def _forget_made() -> None:
    environment_python.cache_clear()


@pytest.mark.parametrize("version", ["2.3.2", "2.22.5"])
def test_old_client_opens_a_database(version: str, tmp_path: Path) -> None:
    """An environment of an old MLflow creates a database, and logs a run and a registered model."""
    assert (
        run(skinny_python(version), "-c", _STORE, str(tmp_path / "mlflow.db")) == f"{version} {{'loss': 0.5}}"
    )


def test_full_mlflow_has_a_server(tmp_path: Path) -> None:
    """The full MLflow of the installed version has the command `mlflow server`."""
    version = mlflow.__version__
    assert run(full_python(version), "-m", "mlflow", "--version", cwd=tmp_path).endswith(f"version {version}")


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new folder for environments, and install one small package in place of MLflow."""
    folder = tmp_path / "environments"
    monkeypatch.setattr(environments, "ENVIRONMENTS", folder)
    monkeypatch.setattr(environments, "_IMPORTED", {"small": "iniconfig"})
    return folder


_SMALL = ("small", ("iniconfig==2.1.0",))


def test_environment_is_made_once(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers that ask at the same time wait for one creation, and a later one uses it again."""
    make = Mock(wraps=environments._make)
    monkeypatch.setattr(environments, "_make", make)
    with ThreadPoolExecutor(4) as threads:
        pythons = set(threads.map(lambda _: environment_python.__wrapped__(*_SMALL), range(4)))
    (python,) = pythons
    assert make.call_count == 1
    assert python.is_relative_to(empty_folder)
    assert run(python, "-c", "import iniconfig; print('imported')") == "imported"


def test_interrupted_creation_is_repeated(empty_folder: Path) -> None:
    """An environment that lacks the last file of a creation is made anew."""
    python = environment_python(*_SMALL)
    (folder,) = [path for path in empty_folder.iterdir() if path.is_dir()]
    (folder / "complete").unlink()
    python.unlink()
    environment_python.cache_clear()
    assert environment_python(*_SMALL) == python
    assert python.exists()


def test_replacement_is_installed(empty_folder: Path) -> None:
    """A replacement has its own version in place of the one whose requirements it takes."""
    python = environment_python("small", ("iniconfig==2.0.0",), "iniconfig==2.1.0")
    assert python.relative_to(empty_folder).parts[0].startswith("small-2.1.0-")
    assert (
        run(python, "-c", "from importlib import metadata; print(metadata.version('iniconfig'))") == "2.1.0"
    )


@pytest.mark.usefixtures("empty_folder")
def test_unknown_version_is_an_error() -> None:
    """A version that the index does not have fails the test, and the error names the requirement."""
    with pytest.raises(RuntimeError, match=r"iniconfig==0\.0\.99"):
        environment_python("small", ("iniconfig==0.0.99",))


@pytest.mark.usefixtures("empty_folder")
def test_missing_index_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index the test is skipped, and the reason names what is missing."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "true")
    with pytest.raises(pytest.skip.Exception, match="missing requirement: package index"):
        environment_python(*_SMALL)


@pytest.mark.usefixtures("empty_folder")
def test_missing_uv_skips_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without uv the test is skipped, and the reason names what is missing."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(pytest.skip.Exception, match="missing requirement: uv "):
        environment_python(*_SMALL)


def run(python: Path, *arguments: str, cwd: Path | None = None) -> str:
    """Run Python and return what it prints, without the last line break."""
    result = subprocess.run([python, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return result.stdout.strip()
