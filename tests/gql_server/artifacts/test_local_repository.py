"""Paths and symbolic links never lead out of the artifact folder of a run."""

import logging
import os
from pathlib import Path

import pytest

from gql_server.artifacts import local_repository
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.local_repository import LocalRepository
from schema.ports.errors import BadUserInput, NotFound
from tests.support.app.artifact_owners import ArtifactOwner, status_and_code
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.stores.store import Store

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
    """Give a file next to the artifact folder of the run."""
    path = run.folder.parent / "secret"
    path.write_text("secret")
    return path


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("path", HARMFUL)
async def test_harmful_path_is_refused(
    graphql: GraphQLClient, run: ArtifactOwner, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A harmful path is refused and logged, raw or encoded again, as a file or as a folder."""
    (run.folder / "a").mkdir()
    with caplog.at_level(logging.WARNING):
        # The client resolves dots, and then requests a path that does not exist.
        response = await graphql.http.get(f"{run.route}/{path.replace(chr(0), '%00')}")
        assert response.status_code in {307, 400, 404}
        encoded = "".join(f"%{byte:02x}" for byte in path.encode())
        response = await graphql.http.get(f"{run.route}/{encoded}")
        assert status_and_code(response) == (400, "BAD_USER_INPUT")
    assert "refused the artifact path" in caplog.text
    error = await graphql.error(QUERY, id=run.id, path=path)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "secret" not in response.text


@pytest.mark.usefixtures("secret")
async def test_unresolved_dots_are_refused(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """A path with dots that the client did not resolve is refused."""
    scope_path = f"{run.route}/a/../../secret"
    status: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            status.append(int(str(message["status"])))

    app = graphql.http._transport.app  # type: ignore[attr-defined] # noqa: SLF001
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


async def test_link_out_of_folder_is_refused(
    graphql: GraphQLClient, run: ArtifactOwner, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A link out of the folder is not listed or followed, and is logged; a link within it is followed."""
    run.write("real/x.txt", b"within")
    (run.folder / "out").symlink_to(secret)
    (run.folder / "up").symlink_to(run.folder.parent)
    (run.folder / "root").symlink_to("/")
    (run.folder / "within").symlink_to(run.folder / "real")
    (run.folder / "around").symlink_to("around")
    (run.folder / "broken").symlink_to("nothing")
    with caplog.at_level(logging.WARNING):
        result = await graphql.data(
            "query ($id: ID!) { run(runId: $id) { artifacts { path children { path } } } }", id=run.id
        )
        assert result["run"]["artifacts"] == [
            {"path": "real", "children": [{"path": "real/x.txt"}]},
            {"path": "within", "children": [{"path": "within/x.txt"}]},
        ]
        for path in ("out", "up/secret", "root/etc/passwd", "around"):
            response = await graphql.http.get(f"{run.route}/{path}")
            assert status_and_code(response) == (400, "BAD_USER_INPUT"), path
        for folder in ("up", "root"):
            error = await graphql.error(QUERY, id=run.id, path=folder)
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "leads out of its folder" in caplog.text
    assert (await graphql.http.get(f"{run.route}/within/x.txt")).text == "within"
    assert status_and_code(await graphql.http.get(f"{run.route}/broken")) == (404, "NOT_FOUND")


def test_link_created_after_the_check_is_not_followed(
    run: ArtifactOwner, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the path that becomes a link between the check and the opening is not followed."""
    run.write("folder/secret", b"own")
    repository = LocalRepository(run.folder)
    open_beneath = local_repository._open_beneath  # noqa: SLF001 - called between check and open

    def replace_and_open(root: Path, parts: tuple[str, ...], flags: int) -> int:
        (run.folder / "folder").rename(run.folder / "moved")
        (run.folder / "folder").symlink_to(secret.parent)
        return open_beneath(root, parts, flags)

    monkeypatch.setattr(local_repository, "_open_beneath", replace_and_open)
    assert repository.list_folder(["folder"], 10) == []
    request = FileRequest(with_body=True, headers={})
    (run.folder / "folder").unlink()
    (run.folder / "moved").rename(run.folder / "folder")
    with pytest.raises((BadUserInput, NotFound)):
        repository.download(["folder", "secret"], request)


NAMES = (
    "query ($id: ID!) { run(runId: $id) { artifacts { path downloadUrl children { path downloadUrl } } } }"
)


async def test_name_that_is_not_utf8_has_no_link(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """A file whose name is not UTF-8 is listed with replacement characters and without a link."""
    url = run.write("x.txt")
    run.write(os.fsdecode(b"\xff\xfe"))
    run.write(".artifact.uploading.x")
    result = await graphql.data(NAMES, id=run.id)
    assert result["run"]["artifacts"] == [
        {"path": "x.txt", "downloadUrl": url, "children": None},
        {"path": "\ufffd\ufffd", "downloadUrl": None, "children": None},
    ]


async def test_name_with_a_backslash_is_a_name(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """A backslash in a name is listed as it is, and the link works."""
    run.write("back\\slash.txt", b"file")
    run.write("a\\b/x%5Cy.txt", b"within")
    result = await graphql.data(NAMES, id=run.id)
    folder, file = result["run"]["artifacts"]
    assert (folder["path"], file["path"]) == ("a\\b", "back\\slash.txt")
    (within,) = folder["children"]
    assert (await graphql.http.get(file["downloadUrl"])).content == b"file"
    assert (await graphql.http.get(within["downloadUrl"])).content == b"within"


async def test_name_that_no_path_may_have_has_no_link(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """A name that would be refused in a path is listed without a link; a folder's children are an error."""
    run.write("file:x/x.txt")
    run.write("%252525252525")
    run.write("kept/x.txt")
    body = (await graphql.response(NAMES, id=run.id)).json()
    assert body["data"]["run"]["artifacts"] == [
        {"path": "%252525252525", "downloadUrl": None, "children": None},
        {"path": "file:x", "downloadUrl": None, "children": None},
        {
            "path": "kept",
            "downloadUrl": None,
            "children": [{"path": "kept/x.txt", "downloadUrl": f"{run.route}/kept/x.txt"}],
        },
    ]
    (error,) = body["errors"]
    assert error["path"] == ["run", "artifacts", 1, "children"]
    assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"


async def test_large_folder_is_listed_up_to_the_limit(sqlite_store: Store, run: ArtifactOwner) -> None:
    """A folder of 10,000 files is listed whole; above the limit the error names the setting."""
    for number in range(10_000):
        (run.folder / f"{number:05}").touch()
    async with graphql_client(sqlite_store.uri) as graphql:
        result = await graphql.data(QUERY, id=run.id, path="")
        assert [entry["path"] for entry in result["run"]["artifacts"]] == [f"{n:05}" for n in range(10_000)]
    async with graphql_client(sqlite_store.uri, max_artifacts=9_999) as graphql:
        error = await graphql.error(QUERY, id=run.id, path="")
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "GQL_MAX_ARTIFACTS" in error["message"]


async def test_limit_is_for_all_folders_of_a_query(sqlite_store: Store, run: ArtifactOwner) -> None:
    """Folders that are each within the limit are refused if together they exceed it."""
    for folder in ("a", "b"):
        for number in range(3):
            run.write(f"{folder}/{number}")
    async with graphql_client(sqlite_store.uri, max_artifacts=5) as graphql:
        query = "query ($id: ID!) { run(runId: $id) { artifacts { path children { path } } } }"
        errors = (await graphql.response(query, id=run.id)).json()["errors"]
        assert {error["extensions"]["code"] for error in errors} == {"LIMIT_EXCEEDED"}
        result = await graphql.data(QUERY, id=run.id, path="a")
        assert len(result["run"]["artifacts"]) == 3


async def test_absent_folder_is_empty(
    graphql: GraphQLClient, run: ArtifactOwner, sqlite_store: Store
) -> None:
    """A path that does not exist or is a file has no entries, like a run without artifacts."""
    run.write("x.txt")
    for path in ("nothing", "x.txt", "x.txt/", "a/b/c", "x" * 300):
        assert await graphql.data(QUERY, id=run.id, path=path) == {"run": {"artifacts": []}}
    bare = sqlite_store.client.create_run("0").info.run_id
    assert await graphql.data(QUERY, id=bare, path="") == {"run": {"artifacts": []}}
