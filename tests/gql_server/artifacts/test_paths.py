"""No way out: whatever a path says, it leads to what is in the folder of its run, or nowhere."""

import logging
import os
from pathlib import Path

import pytest

from gql_server.artifacts import local_repository
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.local_repository import LocalRepository
from schema.ports.errors import BadUserInput, NotFound
from tests.support.artifact_owners import ArtifactOwner, error_of
from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.stores import Store

HARMFUL = [
    "../secret",
    "a/../../secret",
    "..",
    "/etc/passwd",
    "//etc/passwd",
    "..\\secret",
    "a\\..\\..\\secret",
    "C:\\secret",
    "%2e%2e/secret",
    "..%2fsecret",
    "%2e%2e%2fsecret",
    "%252e%252e%252fsecret",
    "%25252e%25252e/secret",
    "%2fetc%2fpasswd",
    "%5c..%5csecret",
    "x\x00.txt",
    "x%00.txt",
    "x%2500.txt",
    "file:///etc/passwd",
    "FILE:secret",
    "./x",
    "a//x",
    "%" + "25" * 9 + "2e/x",
    "x" * 5000,
    "a/" * 2500 + "x",
    "é" * 2500,
]
QUERY = "query ($id: ID!, $path: String!) { run(runId: $id) { artifacts(path: $path) { path } } }"


@pytest.fixture
def secret(run: ArtifactOwner) -> Path:
    """Give a file beside the run's folder."""
    path = run.folder.parent / "secret"
    path.write_text("secret")
    return path


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("path", HARMFUL)
async def test_a_harmful_path(
    server: GraphQLClient, run: ArtifactOwner, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As sent raw or encoded once more, as a file or a folder, it is refused and logged."""
    (run.folder / "a").mkdir()
    with caplog.at_level(logging.WARNING):
        # A client takes dots that it understands out of the way; what it then asks for is not there.
        response = await server.http.get(f"{run.route}/{path.replace(chr(0), '%00')}")
        assert response.status_code in {307, 400, 404}
        encoded = "".join(f"%{byte:02x}" for byte in path.encode())
        response = await server.http.get(f"{run.route}/{encoded}")
        assert error_of(response) == (400, "BAD_USER_INPUT")
    assert "refused the artifact path" in caplog.text
    error = await server.error(QUERY, id=run.id, path=path)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "secret" not in response.text


@pytest.mark.usefixtures("secret")
async def test_raw_dots(server: GraphQLClient, run: ArtifactOwner) -> None:
    """Dots that no client took out of the way are refused too."""
    scope_path = f"{run.route}/a/../../secret"
    status: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            status.append(int(str(message["status"])))

    app = server.http._transport.app  # type: ignore[attr-defined] # noqa: SLF001
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": scope_path,
        "raw_path": scope_path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"test")],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await app(scope, receive, send)
    assert status == [400]


async def test_links_that_lead_out(
    server: GraphQLClient, run: ArtifactOwner, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A link out of the folder is not listed, not followed and logged; one within it is what it names."""
    run.write("real/x.txt", b"within")
    (run.folder / "out").symlink_to(secret)
    (run.folder / "up").symlink_to(run.folder.parent)
    (run.folder / "root").symlink_to("/")
    (run.folder / "within").symlink_to(run.folder / "real")
    (run.folder / "around").symlink_to("around")
    (run.folder / "broken").symlink_to("nothing")
    with caplog.at_level(logging.WARNING):
        answer = await server.data(
            "query ($id: ID!) { run(runId: $id) { artifacts { path children { path } } } }", id=run.id
        )
        assert answer["run"]["artifacts"] == [
            {"path": "real", "children": [{"path": "real/x.txt"}]},
            {"path": "within", "children": [{"path": "within/x.txt"}]},
        ]
        for path in ("out", "up/secret", "root/etc/passwd", "around"):
            response = await server.http.get(f"{run.route}/{path}")
            assert error_of(response) == (400, "BAD_USER_INPUT"), path
        for folder in ("up", "root"):
            error = await server.error(QUERY, id=run.id, path=folder)
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "leads out of its folder" in caplog.text
    assert (await server.http.get(f"{run.route}/within/x.txt")).text == "within"
    assert error_of(await server.http.get(f"{run.route}/broken")) == (404, "NOT_FOUND")


def test_a_link_that_comes_between(run: ArtifactOwner, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the path that becomes a link after it was looked at is not followed."""
    run.write("folder/secret", b"own")
    repository = LocalRepository(run.folder)
    opening = local_repository._open_beneath  # noqa: SLF001 - the moment between looking and opening

    def late(root: Path, parts: tuple[str, ...], flags: int) -> int:
        (run.folder / "folder").rename(run.folder / "moved")
        (run.folder / "folder").symlink_to(secret.parent)
        return opening(root, parts, flags)

    monkeypatch.setattr(local_repository, "_open_beneath", late)
    assert repository.list_folder(["folder"], 10) == []
    wanted = FileRequest(with_body=True, headers={})
    (run.folder / "folder").unlink()
    (run.folder / "moved").rename(run.folder / "folder")
    with pytest.raises((BadUserInput, NotFound)):
        repository.download(["folder", "secret"], wanted)


async def test_names_that_are_no_text(server: GraphQLClient, run: ArtifactOwner) -> None:
    """A file whose name is not UTF-8 is left out of its folder, and the others are there."""
    run.write("x.txt")
    run.write(os.fsdecode(b"\xff\xfe"))
    run.write(".artifact.uploading.x")
    answer = await server.data(QUERY, id=run.id, path="")
    assert answer["run"]["artifacts"] == [{"path": "x.txt"}]


async def test_names_that_no_path_can_have(server: GraphQLClient, run: ArtifactOwner) -> None:
    """A folder whose name would be refused in a path is left out, and what is in the others is listed."""
    for name in ("a\\b", "file:x", "%252525252525", "kept"):
        run.write(f"{name}/x.txt")
    query = "query ($id: ID!) { run(runId: $id) { artifacts { path children { path } } } }"
    answer = await server.data(query, id=run.id)
    assert answer["run"]["artifacts"] == [{"path": "kept", "children": [{"path": "kept/x.txt"}]}]


async def test_ten_thousand_entries(sqlite_store: Store, run: ArtifactOwner) -> None:
    """A folder of 10,000 files is listed whole; of more than the bound nothing is, and the bound is named."""
    for number in range(10_000):
        (run.folder / f"{number:05}").touch()
    async with graphql_client(sqlite_store.uri) as served:
        answer = await served.data(QUERY, id=run.id, path="")
        assert [entry["path"] for entry in answer["run"]["artifacts"]] == [f"{n:05}" for n in range(10_000)]
    async with graphql_client(sqlite_store.uri, max_artifacts=9_999) as served:
        error = await served.error(QUERY, id=run.id, path="")
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "GQL_MAX_ARTIFACTS" in error["message"]


async def test_the_bound_is_for_all_folders(sqlite_store: Store, run: ArtifactOwner) -> None:
    """Folders that each are within the bound are together refused where they pass it."""
    for folder in ("a", "b"):
        for number in range(3):
            run.write(f"{folder}/{number}")
    async with graphql_client(sqlite_store.uri, max_artifacts=5) as served:
        query = "query ($id: ID!) { run(runId: $id) { artifacts { path children { path } } } }"
        errors = (await served.response(query, id=run.id)).json()["errors"]
        assert {error["extensions"]["code"] for error in errors} == {"LIMIT_EXCEEDED"}
        answer = await served.data(QUERY, id=run.id, path="a")
        assert len(answer["run"]["artifacts"]) == 3


async def test_folders_that_are_not_there(
    server: GraphQLClient, run: ArtifactOwner, sqlite_store: Store
) -> None:
    """A folder that is not there, or is a file, has nothing in it; nor has a run that never kept any."""
    run.write("x.txt")
    for path in ("nothing", "x.txt", "x.txt/", "a/b/c", "x" * 300):
        assert await server.data(QUERY, id=run.id, path=path) == {"run": {"artifacts": []}}
    bare = sqlite_store.client.create_run("0").info.run_id
    assert await server.data(QUERY, id=bare, path="") == {"run": {"artifacts": []}}
