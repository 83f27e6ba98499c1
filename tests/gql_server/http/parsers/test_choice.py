"""The parser that the command uses."""

from urllib.parse import urlsplit

import pytest

from gql_server.http.parsers import choice
from gql_server.http.parsers.choice import http_protocol
from tests.support.servers.served_app import PARSERS, exchange
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store


def test_httptools_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    """Httptools is faster; h11 is always installed."""
    assert http_protocol() is PARSERS["httptools"]
    monkeypatch.setattr(choice, "find_spec", lambda _name: None)
    assert http_protocol() is PARSERS["h11"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_command_uses_the_bounded_parser(sqlite_store: Store, workers: str) -> None:
    """The server that the command starts refuses a URL that does not end, with JSON."""
    arguments = ("--tracking-uri", sqlite_store.uri, "--workers", workers)
    with running_server(*arguments) as server:
        url = urlsplit(server.url)
        answer = exchange((url.hostname or "", url.port or 0), b"GET /" + b"x" * 500_000)
    assert answer.startswith(b"HTTP/1.1 414 ")
    assert b"LIMIT_EXCEEDED" in answer
