"""Tests of API keys."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from gql_server.auth.api_keys import ApiKeys, ApiKeysFileError, new_key
from gql_server.auth.authenticator import authenticator_from
from gql_server.config.settings import Settings
from tests.gql_server.auth.conftest import QUERY
from tests.support.app.small_app import SmallApp
from tests.support.servers.server_process import run_command


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Return a read key, a write key, and the path of the file with both."""
    new_keys = {role: new_key(f"{role}er@example.org", write=role == "write") for role in ("read", "write")}
    path = tmp_path / "keys"
    path.write_text("# a comment\n\n" + "\n".join(line for _, line in new_keys.values()) + "\n")
    return {role: key for role, (key, _) in new_keys.items()} | {"file": str(path)}


async def test_key_is_accepted_in_both_headers(
    client_with: Callable[..., httpx.AsyncClient], keys: dict[str, str]
) -> None:
    """A key is accepted as a bearer token and in X-API-Key."""
    async with client_with(auth="keys", api_keys_file=keys["file"]) as client:
        for headers in ({"authorization": f"Bearer {keys['read']}"}, {"x-api-key": keys["write"]}):
            response = await client.post("/graphql", json=QUERY, headers=headers)
            assert response.json() == {"data": {"experiments": {"nodes": []}}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer gql_nonsense"},
        {"authorization": "Bearer a b"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Basic \xff"},
        {"x-api-key": ""},
        {"x-api-key": "\xe9"},
        {"x-api-key": "0" * 64},
    ],
)
async def test_request_without_a_valid_key_gets_401(
    client_with: Callable[..., httpx.AsyncClient], keys: dict[str, str], headers: dict[str, str]
) -> None:
    """Without a valid key, every request gets the same 401 with a challenge."""
    async with client_with(auth="keys", api_keys_file=keys["file"]) as client:
        encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        response = await client.post("/graphql", json=QUERY, headers=encoded)
        without = await client.get("/graphql", params=QUERY)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert response.content == without.content


async def test_two_keys_are_refused(
    client_with: Callable[..., httpx.AsyncClient], keys: dict[str, str]
) -> None:
    """Of two keys in one request none is accepted, in any order, even if both are equal."""
    read, write = ("x-api-key", keys["read"]), ("x-api-key", keys["write"])
    async with client_with(auth="keys", api_keys_file=keys["file"]) as client:
        for headers in ([read, write], [write, read], [read, read], [("x-api-key", "other"), read]):
            response = await client.post("/graphql", json=QUERY, headers=headers)
            assert response.status_code == 401


async def test_keys_have_names_and_roles(keys: dict[str, str]) -> None:
    """A key allows reading, or writing as well, and has a name for logs."""
    scheme = ApiKeys.read(Path(keys["file"]))
    for role in ("read", "write"):
        caller = await scheme.authenticate(Headers({"x-api-key": keys[role]}))
        assert caller is not None
        assert (caller.name, caller.may_write) == (f"key:{role}er@example.org", role == "write")
        assert caller.principal is None


def test_file_contains_no_usable_key(keys: dict[str, str]) -> None:
    """A hash from the file is not accepted as a key."""
    text = Path(keys["file"]).read_text()
    assert keys["read"] not in text
    assert len(keys["read"]) > 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no key"),
        ("# nothing\n", "no key"),
        ("a read sha256:123\n", "line 1"),
        ("a admin sha256:" + "0" * 64, "line 1"),
        ("a read " + "0" * 64, "line 1"),
        ("\n\na b read sha256:" + "0" * 64, "line 3"),
        ("# was\fa read sha256:" + "0" * 64, "no key"),
        ("# was\x1c\r\n\r\nanother", "line 3"),
    ],
)
def test_invalid_file_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A file with an invalid line, or without keys, is refused with the location of the error."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ApiKeysFileError, match=expected):
        authenticator_from(Settings(tracking_uri="unused:", auth="keys", api_keys_file=str(path)))
    with pytest.raises(ApiKeysFileError):
        ApiKeys.read(tmp_path / "absent")


def test_command_prints_a_key_and_its_line(tmp_path: Path) -> None:
    """`gql-server key` prints a key and its line, which match; an invalid name is refused."""
    printed = run_command("key", "ci", "--write").stdout
    key, line = (row.rpartition(": ")[2] for row in printed.splitlines())
    path = tmp_path / "keys"
    path.write_text(line)
    (caller,) = ApiKeys.read(path).by_hash.values()
    assert caller.name == "key:ci"
    assert caller.may_write
    assert new_key("ci", write=True)[0] != key
    assert run_command("key", "no name").returncode == 2


async def test_mutation_needs_a_write_key(keys: dict[str, str]) -> None:
    """A mutation is executed with a write key, and gets 403 with a read key before it is executed."""
    settings = Settings(tracking_uri="unused:", auth="keys", api_keys_file=keys["file"], writable=True)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(SmallApp(settings).app), base_url="http://test"
    ) as client:
        for role, status in (("read", 403), ("write", 200)):
            response = await client.post(
                "/", json={"query": "mutation { write }"}, headers={"x-api-key": keys[role]}
            )
            assert response.status_code == status
            assert ("FORBIDDEN" in response.text) is (role == "read")
            assert ("data" in response.json()) is (role == "write")
