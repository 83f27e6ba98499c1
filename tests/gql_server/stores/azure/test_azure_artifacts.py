"""Artifacts of a run in a workspace, through the plugin's generated client."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gql_server.runtime.retry import RetryableError
from gql_server.stores.azure.plugin_stores import open_workspace_artifacts
from gql_server.stores.errors import public_error_from
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound, StoreUnavailable
from tests.support.azure.emulator import Emulator
from tests.support.stores.store import Store

if TYPE_CHECKING:
    from gql_server.stores.azure.workspace_artifacts import WorkspaceArtifacts

PATHS = ["model/MLmodel", "model/data/w.bin", "model2/x.txt", "model.txt", "a b/é.png", "log.txt"]


@pytest.fixture
def run(azure: Emulator, azure_store: Store) -> str:
    """Return the artifact URI of a run with artifacts."""
    location = azure.artifact_location("spirals")
    experiment = azure_store.client.create_experiment("with artifacts", artifact_location=location)
    info = azure_store.client.create_run(experiment).info
    azure.artifacts[info.run_id] = PATHS
    uri: str = info.artifact_uri
    return uri


def open_repository(store: Store, uri: str, limit: int = 100) -> "WorkspaceArtifacts":
    """Return the repository at an artifact URI."""
    return open_workspace_artifacts(store.uri, uri, 5, timeout=5, max_artifacts=limit)


@pytest.mark.parametrize(
    ("subfolder", "path", "entries"),
    [
        ("", None, ["a b/", "log.txt", "model/", "model.txt", "model2/"]),
        ("", "model", ["model/MLmodel", "model/data/"]),
        ("", "model/data/", ["model/data/w.bin"]),
        ("", "a b", ["a b/é.png"]),
        ("", "log.txt", []),
        ("", "mod", []),
        ("/model", None, ["MLmodel", "data/"]),
        ("/model", "data", ["data/w.bin"]),
    ],
)
def test_folder_lists_its_direct_entries(
    azure_store: Store, run: str, subfolder: str, path: str | None, entries: list[str]
) -> None:
    """A folder lists no file that only starts with its name and no deeper file; a file lists nothing."""
    listed = open_repository(azure_store, f"{run}{subfolder}").list_artifacts(path)
    assert [f"{one.path}/" if one.is_dir else one.path for one in listed] == entries
    assert {one.file_size for one in listed} <= {None}


def test_folder_name_may_contain_line_break(azure: Emulator, azure_store: Store, run: str) -> None:
    """A path in an artifact URI may contain any character."""
    azure.artifacts = {owner: ["two\nlines/x", "y"] for owner in azure.artifacts}
    listed = open_repository(azure_store, f"{run}/two\nlines").list_artifacts()
    assert [one.path for one in listed] == ["x"]


def test_all_pages_are_read_up_to_the_limit(azure: Emulator, azure_store: Store, run: str) -> None:
    """All pages of a run's artifacts are read; more than the limit are an error, not a short list."""
    open_repository(azure_store, run, limit=len(PATHS)).list_artifacts()
    assert sum(count for path, count in azure.calls.items() if path.endswith("/artifacts")) == 3
    with pytest.raises(LimitExceeded):
        open_repository(azure_store, run, limit=len(PATHS) - 1).list_artifacts()


def test_service_errors_are_converted(azure: Emulator, azure_store: Store, run: str) -> None:
    """Error responses become the errors of the other calls, and no thread waits for a retry."""
    repository = open_repository(azure_store, run)
    azure.failures.append((429, {"Retry-After": "3600"}, b""))
    with pytest.raises(RetryableError) as throttled:
        repository.list_artifacts()
    assert throttled.value.retry_after == 3600
    azure.artifacts.clear()
    with pytest.raises(Exception, match="no such run") as absent:
        repository.list_artifacts()
    assert isinstance(public_error_from(absent.value), NotFound)


def test_file_in_unsupported_storage_raises_error(azure_store: Store, run: str, tmp_path: Path) -> None:
    """A file has a signed URI; a download for which the plugin writes nothing raises an error."""
    repository = open_repository(azure_store, f"{run}/model")
    assert repository.content_uri("data/w.bin").endswith("/container/model/data/w.bin?sig=abc")
    with pytest.raises(StoreUnavailable):
        repository.download_artifacts("data/w.bin", str(tmp_path))
    with pytest.raises(BadUserInput):
        repository.download_artifacts("data/..", str(tmp_path))


@pytest.mark.parametrize(
    "uri", ["azureml://h/x", "mlflow-artifacts:/0/a/artifacts", "s3://b/experiments/e/runs/r/artifacts"]
)
def test_uri_outside_the_workspace_is_refused(azure_store: Store, uri: str) -> None:
    """A URI that is not a run's in a workspace is refused."""
    with pytest.raises(BadUserInput):
        open_repository(azure_store, uri)
