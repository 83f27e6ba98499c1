"""A client with little overhead: one connection is reused, and each response is read as a whole."""

from http.client import HTTPConnection
from typing import Any

import orjson

from benchmarks.workload import Workload

_TIMEOUT_SECONDS = 600.0
_OK = 200


class Client:
    """One connection to one server."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def connect(self) -> None:
        """Reconnect, since servers close a connection that was idle for some seconds."""
        self._connection.close()
        self._connection.connect()

    def cold(self, workload: Workload) -> bytes:
        """Send a workload so that the server does not use its cache."""
        return self.post("/graphql", workload.body, {"Cache-Control": "no-cache"})

    def hot(self, workload: Workload) -> bytes:
        """Send a workload so that the server may use its cache."""
        return self.post("/graphql", workload.body)

    def prime(self, workload: Workload) -> None:
        """Reconnect and have the server cache a workload.

        A cached response may expire within seconds, so that this precedes each measurement of a hot request.
        """
        self.connect()
        self.hot(workload)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> bytes:
        """Send JSON and return the response body; raise RuntimeError unless the status is 200."""
        all_headers = {"Content-Type": "application/json", "Accept": "application/json"} | (headers or {})
        self._connection.request("POST", path, orjson.dumps(body), all_headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != _OK:
            message = f"{path} returned {response.status}: {content[:500]!r}"
            raise RuntimeError(message)
        return content
