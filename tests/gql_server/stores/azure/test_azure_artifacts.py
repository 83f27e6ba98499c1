"""The artifacts of a run in a workspace, listed by the plugin's own client with its faults put right."""

from pathlib import Path

import pytest

from gql_server.runtime.retry import RetryableError
from gql_server.stores.azure.artifacts import WorkspaceArtifacts
from gql_server.stores.azure.plugin_stores import open_artifacts
from gql_server.stores.errors import public_error_from
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound, StoreUnavailable
from tests.support.azure.emulator import Emulator
from tests.support.stores import Store

PATHS = ["model/MLmodel", "model/data/w.bin", "model2/x.txt", "model.txt", "a b/é.png", "log.txt"]


@pytest.fixture
def run(azure: Emulator, azure_store: Store) -> str:
    """Give the artifact URI of a run with artifacts."""
    location = azure.artifact_location("spirals")
    experiment = azure_store.client.create_experiment("with artifacts", artifact_location=location)
    info = azure_store.client.create_run(experiment).info
    azure.artifacts[info.run_id] = PATHS
    uri: str = info.artifact_uri
    return uri


def opened(store: Store, uri: str, most: int = 100) -> WorkspaceArtifacts:
    """Return the repository at an artifact URI."""
    return open_artifacts(store.uri, uri, 5, timeout=5, most=most)


@pytest.mark.parametrize(
    ("below", "path", "found"),
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
def test_a_folder_has_what_is_in_it(
    azure_store: Store, run: str, below: str, path: str | None, found: list[str]
) -> None:
    """A folder has neither what begins with its name nor what is further below; a file has nothing."""
    listed = opened(azure_store, f"{run}{below}").list_artifacts(path)
    assert [f"{one.path}/" if one.is_dir else one.path for one in listed] == found
    assert {one.file_size for one in listed} <= {None}


def test_all_pages_are_gone_through_up_to_the_bound(azure: Emulator, azure_store: Store, run: str) -> None:
    """The service lists all artifacts of a run, in pages; too many are an error and no short list."""
    opened(azure_store, run, most=len(PATHS)).list_artifacts()
    assert sum(count for path, count in azure.calls.items() if path.endswith("/artifacts")) == 3
    with pytest.raises(LimitExceeded):
        opened(azure_store, run, most=len(PATHS) - 1).list_artifacts()


def test_errors_are_the_ports(azure: Emulator, azure_store: Store, run: str) -> None:
    """What the service answers means what it does elsewhere, and nothing is waited for in a thread."""
    repository = opened(azure_store, run)
    azure.failures.append((429, {"Retry-After": "3600"}, b""))
    with pytest.raises(RetryableError) as busy:
        repository.list_artifacts()
    assert busy.value.retry_after == 3600
    azure.artifacts.clear()
    with pytest.raises(Exception, match="no such run") as absent:
        repository.list_artifacts()
    assert isinstance(public_error_from(absent.value), NotFound)


def test_a_file_that_the_plugin_cannot_fetch_is_said(azure_store: Store, run: str, tmp_path: Path) -> None:
    """A file has a signed address; where that is none of Azure's storage, the plugin would write nothing."""
    repository = opened(azure_store, f"{run}/model")
    assert repository.content_uri("data/w.bin").endswith("/container/model/data/w.bin?sig=abc")
    with pytest.raises(StoreUnavailable):
        repository.download_artifacts("data/w.bin", str(tmp_path))
    with pytest.raises(BadUserInput):
        repository.download_artifacts("data/..", str(tmp_path))


@pytest.mark.parametrize(
    "uri", ["azureml://h/x", "mlflow-artifacts:/0/a/artifacts", "s3://b/experiments/e/runs/r/artifacts"]
)
def test_another_uri_is_refused(azure_store: Store, uri: str) -> None:
    """What is not in the workspace is nothing for this repository."""
    with pytest.raises(BadUserInput):
        opened(azure_store, uri)
