"""Artifacts on an MLflow server, or in a repository that downloads files whole."""

import ftplib
import importlib.util
import os
import posixpath
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact import artifact_repository_registry as registry
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from requests import exceptions as http

from gql_server.artifacts.access_policy import AccessPolicy
from gql_server.artifacts.repositories import Repositories
from gql_server.config.azure import AzureSettings
from gql_server.config.settings import Settings
from schema.ports.errors import UnsupportedByStore
from tests.support.app.artifact_owners import ArtifactOwner, status_and_code
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.servers.free_ports import free_port
from tests.support.stores.store import Store

CONTENT = bytes(range(256)) * 4000
QUERY = """query ($id: ID!, $path: String) { run(runId: $id) {
  artifacts(path: $path) { path isDir size downloadUrl children { path size downloadUrl } } } }"""
UNCACHED = {"cache_ended_seconds": 0, "cache_running_seconds": 0}


@pytest.fixture
async def proxied(server_store: Store, tmp_path: Path) -> AsyncIterator[tuple[GraphQLClient, ArtifactOwner]]:
    """Give a client of an application over an MLflow server, and a run with proxied artifacts."""
    experiment = server_store.client.create_experiment("proxied")
    run_id = server_store.client.create_run(experiment).info.run_id
    async with graphql_client(server_store.uri, **UNCACHED) as graphql:
        yield graphql, ArtifactOwner(run_id, tmp_path, f"/artifacts/{run_id}")


def _log(store: Store, run: ArtifactOwner, path: str, content: bytes) -> None:
    file = run.folder / posixpath.basename(path)
    file.write_bytes(content)
    store.client.log_artifact(run.id, str(file), posixpath.dirname(path) or None)


async def test_proxied_files_support_listing_ranges_and_head(
    server_store: Store, proxied: tuple[GraphQLClient, ArtifactOwner]
) -> None:
    """Artifacts of an MLflow server support listings, whole files, ranges, conditions and HEAD."""
    graphql, run = proxied
    _log(server_store, run, "plots/a b.png", CONTENT)
    _log(server_store, run, "x.txt", b"content")
    result = await graphql.data(QUERY, id=run.id)
    url = f"{run.route}/plots/a%20b.png"
    assert result["run"]["artifacts"] == [
        {
            "path": "plots",
            "isDir": True,
            "size": None,
            "downloadUrl": None,
            "children": [{"path": "plots/a b.png", "size": len(CONTENT), "downloadUrl": url}],
        },
        {
            "path": "x.txt",
            "isDir": False,
            "size": 7,
            "downloadUrl": f"{run.route}/x.txt",
            "children": None,
        },
    ]
    response = await graphql.http.get(url)
    assert (response.status_code, response.content, response.headers["content-type"]) == (
        200,
        CONTENT,
        "image/png",
    )
    assert response.headers["content-security-policy"].endswith("sandbox")
    assert response.headers["content-disposition"].startswith('attachment; filename="a b.png"')
    head = await graphql.http.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))
    part = await graphql.http.get(url, headers={"range": "bytes=10-19", "if-range": response.headers["etag"]})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(CONTENT)}"
    beyond = await graphql.http.get(url, headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416
    for missing in ("nothing.txt", "plots"):
        assert status_and_code(await graphql.http.get(f"{run.route}/{missing}")) == (404, "NOT_FOUND")
    assert (await graphql.data(QUERY, id=run.id, path="nothing"))["run"]["artifacts"] == []


async def test_proxied_artifacts_of_a_database_need_a_server_uri(
    server_store: Store, shared_mlflow_server: Any, proxied: tuple[GraphQLClient, ArtifactOwner]
) -> None:
    """With a database as store, proxied artifacts are read from GQL_ARTIFACTS_URI, and fail without it."""
    _, run = proxied
    _log(server_store, run, "x.txt", b"content")
    database = shared_mlflow_server.database_uri
    async with graphql_client(database, artifacts_uri=server_store.uri, **UNCACHED) as graphql:
        result = await graphql.data(QUERY, id=run.id)
        (file,) = result["run"]["artifacts"]
        assert (await graphql.http.get(file["downloadUrl"])).text == "content"
    async with graphql_client(database, **UNCACHED) as graphql:
        error = await graphql.error(QUERY, id=run.id)
        assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
        assert "GQL_ARTIFACTS_URI" in error["message"]
        assert status_and_code(await graphql.http.get(file["downloadUrl"])) == (501, "UNSUPPORTED_BY_STORE")


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc",
        "/etc",
        "http://127.0.0.1:9/api/2.0/mlflow-artifacts/artifacts/x",
        "https://example.invalid/x",
        "mlflow-artifacts://example.invalid/x",
        "unheard-of://x/y",
    ],
)
async def test_location_outside_the_policy_is_not_read(
    server_store: Store, location: str, tmp_path: Path
) -> None:
    """A client that creates an experiment cannot read local files or have credentials sent by it."""
    experiment = server_store.client.create_experiment(f"to {location}", location)
    run_id = server_store.client.create_run(experiment).info.run_id
    async with graphql_client(server_store.uri, artifact_roots=str(tmp_path), **UNCACHED) as graphql:
        error = await graphql.error(QUERY, id=run_id)
        assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
        response = await graphql.http.get(f"/artifacts/{run_id}/passwd")
        assert status_and_code(response) == (501, "UNSUPPORTED_BY_STORE")
        assert "root:" not in response.text


async def test_unreachable_storage_is_unavailable(sqlite_store: Store) -> None:
    """A missing library is named by its package, and an unreachable host is reported as unavailable."""
    ftp = f"ftp://127.0.0.1:{free_port()}/x"
    expected = [(ftp, "STORE_UNAVAILABLE", "cannot be reached")]
    if importlib.util.find_spec("boto3") is None:
        expected.append(("s3://bucket/x", "UNSUPPORTED_BY_STORE", "the Python package boto3"))
    for index, (location, code, message) in enumerate(expected):
        experiment = sqlite_store.client.create_experiment(f"far {index}", location)
        run_id = sqlite_store.client.create_run(experiment).info.run_id
        async with graphql_client(sqlite_store.uri, **UNCACHED) as graphql:
            error = await graphql.error(QUERY, id=run_id)
            downloaded = status_and_code(await graphql.http.get(f"/artifacts/{run_id}/x.txt"))
        assert error["extensions"]["code"] == downloaded[1] == code
        assert message in error["message"]


@pytest.mark.parametrize("uri", ["runs:/0123456789abcdef0123456789abcdef/x", "models:/m-1", "models:/net/1"])
def test_uri_that_refers_to_another_is_refused(uri: str) -> None:
    """A URI that MLflow would resolve to another, which the access policy would not check, is refused."""
    limits = Settings(tracking_uri="unused:").limits.artifacts
    for tracking_uri in ("sqlite:///x.db", "http://127.0.0.1:9"):
        policy = AccessPolicy(tracking_uri, "", "")
        with pytest.raises(UnsupportedByStore):
            Repositories(policy, limits, AzureSettings().azure_options, timeout=30).get(uri)


async def test_folders_are_read_only_below_roots(
    sqlite_store: Store, run: ArtifactOwner, tmp_path: Path
) -> None:
    """With roots, local folders are read only below one of them."""
    url = run.write("x.txt")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(run.folder)
    for roots, expected in (
        (str(tmp_path), 200),
        (f"{elsewhere}{os.pathsep}{run.folder.parent.parent.parent}", 200),
        (str(elsewhere), 501),
        (str(run.folder)[:-1], 501),
    ):
        async with graphql_client(sqlite_store.uri, artifact_roots=roots) as graphql:
            assert (await graphql.http.get(url)).status_code == expected, roots


class CloudRepository(ArtifactRepository):
    """A repository like those of cloud storage: files are downloaded whole, and sizes may be unknown."""

    failure: Exception | None = None
    sizes = True
    silent = False

    def _folder(self) -> Path:
        return Path(self.artifact_uri.removeprefix("kept:"))

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Do nothing: tests write into the folder."""

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Do nothing."""

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return all paths with this prefix, as the plugin for Azure does."""
        if self.failure:
            raise self.failure
        paths = sorted(entry for entry in self._folder().rglob("*"))
        names = [(entry, entry.relative_to(self._folder()).as_posix()) for entry in paths]
        return [
            FileInfo(name, entry.is_dir(), entry.stat().st_size if self.sizes else -1)
            for entry, name in names
            if name.startswith(path or "")
        ]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        if self.failure:
            raise self.failure
        if not self.silent:
            shutil.copy(self._folder() / remote_file_path, local_path)

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """Copy a file."""
        target = Path(dst_path or "", artifact_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._download_file(artifact_path, str(target))
        return str(target)


@pytest.fixture
def remote(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ArtifactOwner, type[CloudRepository]]]:
    """Give a run with artifacts in a cloud repository, and the class of the repository to configure it."""
    repository = type("ConfiguredRepository", (CloudRepository,), {})
    known = registry._artifact_repository_registry._registry  # noqa: SLF001 - where plugins register
    monkeypatch.setitem(known, "kept", repository)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()
    experiment = sqlite_store.client.create_experiment("kept", f"kept:{tmp_path}/remote")
    info = sqlite_store.client.create_run(experiment).info
    folder = Path(info.artifact_uri.removeprefix("kept:"))
    folder.mkdir(parents=True)
    yield ArtifactOwner(info.run_id, folder, f"/artifacts/{info.run_id}"), repository
    assert list((tmp_path / "spool").iterdir()) == []


async def test_downloaded_files_are_sent_and_deleted(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """Files that MLflow downloads whole are listed and sent, and leave nothing on disk."""
    run, _ = remote
    url = run.write("plots/x.png", CONTENT)
    run.write("plots2/y.png")
    result = await graphql.data(QUERY, id=run.id, path="plots")
    assert [(entry["path"], entry["size"]) for entry in result["run"]["artifacts"]] == [
        ("plots/x.png", len(CONTENT))
    ]
    response = await graphql.http.get(url, headers={"range": "bytes=0-1"})
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["accept-ranges"] == "none"
    head = await graphql.http.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
    for missing in ("plots", "nothing", "plots/x.png/y"):
        assert status_and_code(await graphql.http.get(f"{run.route}/{missing}")) == (404, "NOT_FOUND")


async def test_remote_name_that_no_path_may_have_is_not_listed(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A name that would be refused in a path is left out of a remote listing."""
    run, _ = remote
    for name in ("a\\b", "%252525252525", "kept"):
        run.write(f"{name}/x.txt")
    result = await graphql.data(QUERY, id=run.id)
    assert [entry["path"] for entry in result["run"]["artifacts"]] == ["kept"]


async def test_file_of_unknown_size_is_sent(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A size of -1 is reported as null, and the file is sent."""
    run, repository = remote
    repository.sizes = False
    url = run.write("x.txt")
    result = await graphql.data(QUERY, id=run.id)
    assert [entry["size"] for entry in result["run"]["artifacts"]] == [None]
    response = await graphql.http.get(url)
    assert (response.status_code, response.text, response.headers["content-length"]) == (200, "content", "7")


async def test_file_that_was_not_downloaded_is_not_found(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A repository that returns a path without writing the file has no such file."""
    run, repository = remote
    repository.silent = True
    assert status_and_code(await graphql.http.get(run.write("x.txt"))) == (404, "NOT_FOUND")


async def test_file_larger_than_the_spool_is_refused(
    sqlite_store: Store, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A file larger than the spool is refused before it is downloaded; the error names the setting."""
    run, repository = remote
    url = run.write("x.txt", CONTENT)
    async with graphql_client(sqlite_store.uri, artifact_spool_bytes=len(CONTENT) - 1) as graphql:
        response = await graphql.http.get(url)
        assert status_and_code(response) == (413, "LIMIT_EXCEEDED")
        assert "GQL_ARTIFACT_SPOOL_BYTES" in response.text
    async with graphql_client(sqlite_store.uri, artifact_spool_bytes=len(CONTENT)) as graphql:
        repository.failure = None
        for _ in range(3):
            # Each download frees its space.
            assert (await graphql.http.get(url)).content == CONTENT


def _raised(name: str, base: type[Exception] = Exception, **attributes: object) -> Exception:
    """Return an error of a class as a library that is not installed would define it."""
    error: Exception = type(name, (base,), attributes)("secret")
    return error


def _of_ftp(name: str, reply: str) -> Exception:
    error: Exception = getattr(ftplib, name)(reply)
    return error


def _of_s3(status: int) -> Exception:
    return _raised("ClientError", response={"ResponseMetadata": {"HTTPStatusCode": status}})


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ModuleNotFoundError("secret", name="boto3"), 501, "UNSUPPORTED_BY_STORE"),
        (OSError("Unable to load libjvm: secret"), 501, "UNSUPPORTED_BY_STORE"),
        (_raised("NoCredentialsError"), 403, "FORBIDDEN"),
        (_raised("DefaultCredentialsError"), 403, "FORBIDDEN"),
        (_raised("EndpointConnectionError"), 503, "STORE_UNAVAILABLE"),
        (_raised("ReadTimeoutError"), 504, "STORE_TIMEOUT"),
        (_raised("ServiceRequestError"), 503, "STORE_UNAVAILABLE"),
        (_raised("HttpResponseError", status_code=429), 503, "STORE_UNAVAILABLE"),
        (_of_s3(503), 503, "STORE_UNAVAILABLE"),
        (_of_s3(403), 403, "FORBIDDEN"),
        (_of_s3(404), 404, "NOT_FOUND"),
        (ConnectionRefusedError("secret"), 503, "STORE_UNAVAILABLE"),
        (TimeoutError("secret"), 504, "STORE_TIMEOUT"),
        (_of_ftp("error_perm", "530 secret"), 403, "FORBIDDEN"),
        (_of_ftp("error_temp", "421 secret"), 503, "STORE_UNAVAILABLE"),
        (_of_ftp("error_perm", "500 secret"), 500, "INTERNAL_SERVER_ERROR"),
        (PermissionError("secret"), 500, "INTERNAL_SERVER_ERROR"),
        (http.ReadTimeout("https://secret.invalid"), 504, "STORE_TIMEOUT"),
        (http.ConnectionError("https://secret.invalid"), 503, "STORE_UNAVAILABLE"),
        (MlflowException("no", error_code=RESOURCE_DOES_NOT_EXIST), 404, "NOT_FOUND"),
        (MlflowException("no", error_code=PERMISSION_DENIED), 403, "FORBIDDEN"),
        (RuntimeError("secret"), 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_storage_errors_have_codes(
    graphql: GraphQLClient,
    remote: tuple[ArtifactOwner, type[CloudRepository]],
    failure: Exception,
    status: int,
    code: str,
) -> None:
    """Timeouts, refusals and failures of a repository have the same code in queries and downloads."""
    run, repository = remote
    url = run.write("x.txt")
    repository.failure = failure
    error = await graphql.error(QUERY, id=run.id)
    assert error["extensions"]["code"] == code
    response = await graphql.http.get(url)
    assert status_and_code(response) == (status, code)
    assert "secret" not in response.text
    assert "secret" not in error["message"]
