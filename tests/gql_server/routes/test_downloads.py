"""Downloads of artifacts: content, headers, ranges, conditions and errors."""

import asyncio
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.app.artifact_owners import ArtifactOwner, status_and_code
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.stores.store import Store

CONTENT = bytes(range(256)) * 4000
"""About a megabyte, more than one chunk."""


async def test_file_is_sent_whole(graphql: GraphQLClient, run: ArtifactOwner, model: ArtifactOwner) -> None:
    """The files of runs and of logged models are sent whole, with their length and a sandboxing policy."""
    for holder in (run, model):
        response = await graphql.http.get(holder.write("plots/curve.png", CONTENT))
        assert (response.status_code, response.content) == (200, CONTENT)
        assert response.headers["content-length"] == str(len(CONTENT))
        assert response.headers["content-type"] == "image/png"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]


async def test_download_urls_work_for_every_name(
    graphql: GraphQLClient, run: ArtifactOwner, model: ArtifactOwner
) -> None:
    """Each downloadUrl in a result is the URL of its file, for any characters in the name."""
    names = ["a b.txt", "100%.txt", "a%20b.txt", "?q=1#x", "é ü.txt", 'quote".txt', "+&;=,@:!$'()*~"]
    for name in names:
        run.write(f"folder {name}/{name}", name.encode())
        model.write(name, name.encode())
    result = await graphql.data(
        "query ($id: ID!) { run(runId: $id) { artifacts { isDir downloadUrl size children "
        "{ path name size downloadUrl } } loggedModels { artifacts { name downloadUrl } } } }",
        id=run.id,
    )
    folders = result["run"]["artifacts"]
    assert [(entry["isDir"], entry["size"], entry["downloadUrl"]) for entry in folders] == [
        (True, None, None)
    ] * len(names)
    files = [entry for folder in folders for entry in folder["children"]]
    files += result["run"]["loggedModels"][0]["artifacts"]
    assert sorted(entry["name"] for entry in files) == sorted(2 * names)
    for entry in files:
        response = await graphql.http.get(entry["downloadUrl"])
        assert (response.status_code, response.text) == (200, entry["name"])


async def test_download_urls_include_the_root_path(sqlite_store: Store, run: ArtifactOwner) -> None:
    """Behind a proxy with a path prefix, download URLs include the prefix, also in cached responses."""
    run.write("x.txt")
    query = "query ($id: ID!) { run(runId: $id) { artifacts { downloadUrl } } }"
    async with graphql_client(sqlite_store.uri) as graphql:
        transport = graphql.http._transport  # noqa: SLF001 - what a server would set
        urls = []
        for path in ("", "/mlflow/graph", ""):
            transport.root_path = path  # type: ignore[attr-defined]
            prefixed = f"{path}/graphql"
            body = {"query": query, "variables": {"id": run.id}}
            result = (await graphql.http.post(prefixed, json=body)).json()
            (entry,) = result["data"]["run"]["artifacts"]
            urls.append(entry["downloadUrl"])
            assert (await graphql.http.get(entry["downloadUrl"])).text == "content"
    assert urls == [f"{run.route}/x.txt", f"/mlflow/graph{run.route}/x.txt", f"{run.route}/x.txt"]


async def test_head_has_the_headers_of_get(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """HEAD returns the headers of GET without a body."""
    url = run.write("x.csv", CONTENT)
    get, head = await graphql.http.get(url), await graphql.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
    head = await graphql.http.head(url, headers={"range": "bytes=0-9"})
    assert (head.status_code, head.headers) == (200, get.headers)
    assert (await graphql.http.head(f"{run.route}/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("range_header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        ("bytes=1023999-", 1023999, 1024000),
        ("bytes=5-99999999999", 5, 1024000),
        ("bytes=-10", 1023990, 1024000),
        ("bytes=-9999999", 0, 1024000),
    ],
)
async def test_range_is_sent(
    graphql: GraphQLClient, run: ArtifactOwner, range_header: str, start: int, stop: int
) -> None:
    """A satisfiable range is sent with its Content-Range."""
    response = await graphql.http.get(run.write("x.bin", CONTENT), headers={"range": range_header})
    assert (response.status_code, response.content) == (206, CONTENT[start:stop])
    assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("range_header", ["bytes=1024000-", "bytes=1024000-1024005", "bytes=-0"])
async def test_range_beyond_the_end_is_refused(
    graphql: GraphQLClient, run: ArtifactOwner, range_header: str
) -> None:
    """A range beyond the end is refused with the length of the file."""
    response = await graphql.http.get(run.write("x.bin", CONTENT), headers={"range": range_header})
    assert (response.status_code, response.content) == (416, b"")
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "range_header",
    ["bytes=0-1,3-4", "bytes=-", "bytes=5-2", "lines=1-2", "bytes=x", f"bytes={'9' * 5000}-", "bytes=²-"],
)
async def test_invalid_range_is_ignored(
    graphql: GraphQLClient, run: ArtifactOwner, range_header: str
) -> None:
    """With a malformed range or several ranges, the whole file is sent."""
    headers = {"range": range_header.encode()}
    response = await graphql.http.get(run.write("x.txt"), headers=headers)  # type: ignore[arg-type]
    assert (response.status_code, response.text) == (200, "content")


async def test_conditions_use_the_etag(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """A range with If-Range is sent only of the same file; after a change the whole file is sent."""
    url = run.write("x.txt")
    tag = (await graphql.http.get(url)).headers["etag"]
    same = await graphql.http.get(url, headers={"range": "bytes=3-", "if-range": tag})
    assert (same.status_code, same.text) == (206, "tent")
    assert (await graphql.http.get(url, headers={"if-none-match": f'"x", {tag}'})).status_code == 304
    run.write("x.txt", b"other content")
    changed = await graphql.http.get(url, headers={"range": "bytes=3-", "if-range": tag})
    assert (changed.status_code, changed.text) == (200, "other content")
    assert (await graphql.http.get(url, headers={"if-none-match": tag})).status_code == 200


async def test_empty_file_is_sent(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """An empty file is sent with a length of 0."""
    response = await graphql.http.get(run.write("x", b""))
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("page.html", "text/html; charset=utf-8"),
        ("drawing.svg", "image/svg+xml"),
        ("script.js", "text/javascript; charset=utf-8"),
        ("x.json", "application/json"),
        ("MLmodel", "text/plain; charset=utf-8"),
        ("conda.yaml", "text/plain; charset=utf-8"),
        ("data.csv.gz", "application/gzip"),
        ("model.tar.xz", "application/x-xz"),
        ("weights", "application/octet-stream"),
        ("x.unheard-of", "application/octet-stream"),
    ],
)
async def test_media_type_is_that_of_the_name(
    graphql: GraphQLClient, run: ArtifactOwner, name: str, type_: str
) -> None:
    """The media type is that of the name, and a browser saves the file instead of rendering it."""
    response = await graphql.http.get(run.write(name))
    assert response.headers["content-type"] in {type_, type_.replace("text/plain", "application/yaml")[:16]}
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert response.headers["content-security-policy"].endswith("; sandbox")
    assert "content-encoding" not in response.headers


async def test_content_disposition_is_encoded(graphql: GraphQLClient, run: ArtifactOwner) -> None:
    """The file name is sent in both forms of RFC 6266, and cannot inject a header."""
    name = 'é "x"; a=b%41.txt'
    run.write(name)
    response = await graphql.http.get(f"{run.route}/{quote(name)}")
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"_ _x_; a=b_41.txt\"; filename*=UTF-8''%C3%A9%20%22x%22%3B%20a%3Db%2541.txt"
    )
    run.write("a\r\nset-cookie: x")
    broken = await graphql.http.get(f"{run.route}/a%0D%0Aset-cookie:%20x")
    assert broken.status_code == 200
    assert "set-cookie" not in broken.headers


async def test_absent_file_is_not_found(
    graphql: GraphQLClient, run: ArtifactOwner, model: ArtifactOwner
) -> None:
    """A run, model or file that does not exist, a folder and a deleted file are all NOT_FOUND."""
    run.write("folder/x.txt")
    deleted = run.write("gone.txt")
    (run.folder / "gone.txt").unlink()
    os.mkfifo(run.folder / "pipe")
    missing = [
        f"/artifacts/{'0' * 32}/x.txt",
        f"/artifacts/{model.id}/x.txt",
        f"/model-artifacts/{run.id}/x.txt",
        deleted,
        f"{run.route}/folder",
        f"{run.route}/folder/x.txt/y",
        f"{run.route}/pipe",
        f"{run.route}/{'x' * 300}",
        f"{run.route}/",
    ]
    for url in missing:
        assert status_and_code(await graphql.http.get(url)) == (404, "NOT_FOUND"), url
    assert status_and_code(await graphql.http.get("/artifacts/not%20an%20id/x")) == (400, "BAD_USER_INPUT")
    assert (await graphql.http.post(deleted)).status_code == 405


async def test_unreadable_file_is_forbidden(
    graphql: GraphQLClient, run: ArtifactOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without read permission is forbidden, and an I/O error reveals nothing."""
    url = run.write("x.txt")
    real = os.open

    def refusing(path: str | Path, *arguments: int, **options: int) -> int:
        if path == "x.txt":
            raise failure
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    failure = PermissionError(13, "denied", "/secret/place")
    response = await graphql.http.get(url)
    assert status_and_code(response) == (403, "FORBIDDEN")
    failure = OSError(5, "input/output error", "/secret/place")  # type: ignore[assignment]
    response = await graphql.http.get(url)
    assert status_and_code(response) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in response.text


async def test_downloads_in_progress_are_limited(sqlite_store: Store, run: ArtifactOwner) -> None:
    """Downloads above the limit get 503 with Retry-After, and finished ones free their slot."""
    url = run.write("x.txt")
    async with graphql_client(sqlite_store.uri, max_downloads=2) as graphql:
        responses = await asyncio.gather(*(graphql.http.get(url) for _ in range(6)))
        assert {response.status_code for response in responses} <= {200, 503}
        refused = [response for response in responses if response.status_code == 503]
        for response in refused:
            assert status_and_code(response) == (503, "STORE_UNAVAILABLE")
            assert "GQL_MAX_DOWNLOADS" in response.text
            assert response.headers["retry-after"]
        assert len(responses) - len(refused) >= 2
        assert (await graphql.http.get(url)).status_code == 200
