"""The bodies and content types that `/graphql` accepts."""

import codecs
import gzip
import json

import httpx
import pytest

MODERN = "application/graphql-response+json"


PLAIN = "application/json"


NAME = "{ experiment(experimentId: 1) { name } }"


def codes(response: httpx.Response) -> list[str]:
    """Return the codes of a response's errors."""
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b'[{"query": "{ server { version } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": "{ server { version } }", "variables": []}',
        b'{"query": "{ server { version } }", "variables": "{}"}',
        b'{"query": "{ server { version } }", "operationName": 1}',
        b'{"query": "{ server { version } }", "extensions": 1}',
        b'{"query": "{ server { version } }", "variables": {"a": NaN}}',
        b'{"query": "\xff"}',
        b'\xff\xfe{"query": "{ server { version } }"}',
        b"[" * 5000,
        b'{"query": "{ server { version } }", "variables": {"a": ' + b"[" * 101 + b"]" * 101 + b"}}",
        b'{"query": "{ server { version } }", "variables": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}",
        b'{"a":' * 2000,
    ],
)
async def test_malformed_body_gets_400(client: httpx.AsyncClient, body: bytes) -> None:
    """A body that is not a request in JSON gets 400 with a JSON error, never 500."""
    for accept in (MODERN, PLAIN):
        headers = {"accept": accept, "content-type": "application/json"}
        response = await client.post("/graphql", content=body, headers=headers)
        assert response.status_code == 400
        assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
async def test_other_content_types_get_415(client: httpx.AsyncClient, content_type: str) -> None:
    """A body of another content type gets 415, so that no HTML form can send one."""
    headers = {"content-type": content_type} if content_type else {}
    response = await client.post("/graphql", content=json.dumps({"query": NAME}), headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "identity, br", "zstd", "nonsense"])
async def test_encoded_body_gets_415(client: httpx.AsyncClient, encoding: str) -> None:
    """A body with a Content-Encoding gets 415, with the accepted one, and is not read as invalid JSON."""
    content = gzip.compress(json.dumps({"query": NAME}).encode())
    headers = {"content-type": "application/json", "content-encoding": encoding}
    response = await client.post("/graphql", content=content, headers=headers)
    assert (response.status_code, codes(response)) == (415, ["BAD_USER_INPUT"])
    assert "Content-Encoding" in response.json()["errors"][0]["message"]
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", "identity, identity"])
async def test_plain_body_may_say_so(client: httpx.AsyncClient, encoding: str) -> None:
    """The Content-Encoding `identity` is that of a plain body."""
    response = await client.post("/graphql", json={"query": NAME}, headers={"content-encoding": encoding})
    assert response.json() == {"data": {"experiment": {"name": "one"}}}


@pytest.mark.parametrize("charset", ["nonsense", "\x7f", "utf\x00"])
async def test_unknown_charset_gets_400(client: httpx.AsyncClient, charset: str) -> None:
    """An unknown charset gets 400 with a JSON error."""
    headers = {"content-type": f"application/json; charset={charset}"}
    response = await client.post("/graphql", content=json.dumps({"query": NAME}), headers=headers)
    assert response.status_code == 400
    assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ('application/json; Charset="UTF-8"; x=y', 200),
        ("Application/JSON ;; charset=utf-8;", 200),
        ("application/json; charset*=a; charset*0=b", 200),
        ("application/json; a*0=b; a*=c", 200),
        (f"application/json; a*{'9' * 5000}*=b", 200),
        ("application/json, text/plain", 415),
        ("text/plain; application/json", 415),
        ("; application/json", 415),
    ],
)
async def test_other_parameters_of_the_content_type_are_ignored(
    client: httpx.AsyncClient, content_type: str, status: int
) -> None:
    """Parameters other than the charset are ignored, however malformed."""
    content = json.dumps({"query": NAME})
    response = await client.post("/graphql", content=content, headers={"content-type": content_type})
    assert response.status_code == status


async def test_charset_is_not_looked_up_in_pythons_registry(client: httpx.AsyncClient) -> None:
    """Python caches every charset that is looked up, so those of clients are not."""
    looked_up: list[str] = []
    codecs.register(looked_up.append)
    try:
        for charset in ("made-up-by-a-client", "utf-16"):
            headers = {"content-type": f"application/json; charset={charset}"}
            await client.post("/graphql", content=json.dumps({"query": NAME}), headers=headers)
    finally:
        codecs.unregister(looked_up.append)
    assert looked_up == []


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions", "documentId"])
@pytest.mark.parametrize("empty", ["", None])
async def test_empty_parameters_count_as_absent(
    client: httpx.AsyncClient, name: str, empty: str | None
) -> None:
    """Clients send empty fields of a form as they are, in a body and in a URL."""
    posted = await client.post("/graphql", json={"query": NAME, name: empty})
    got = await client.get("/graphql", params={"query": NAME, name: empty or ""})
    assert posted.json() == got.json() == {"data": {"experiment": {"name": "one"}}}


@pytest.mark.parametrize("variables", ["{}", "null", " ", "[]", "0"])
async def test_variables_as_text_are_refused(client: httpx.AsyncClient, variables: str) -> None:
    """Variables in a body are an object and not its JSON text, as the specification requires."""
    response = await client.post("/graphql", json={"query": NAME, "variables": variables})
    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])
    assert "not its JSON text" in response.json()["errors"][0]["message"]


async def test_large_body_gets_413(client: httpx.AsyncClient) -> None:
    """A body above the limit gets 413 with the name of the setting."""
    response = await client.post("/graphql", json={"query": NAME, "extensions": {"pad": "x" * 10_000}})
    assert response.status_code == 413
    assert "GQL_MAX_BODY_BYTES" in response.json()["errors"][0]["message"]
