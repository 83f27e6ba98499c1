"""A client that adds as little as it can to what it measures: one kept connection, the whole answer read."""

from http.client import HTTPConnection
from typing import Any

import orjson

from benchmarks.workload import Workload

_PATIENCE = 600.0
_OK = 200


class Client:
    """One connection to one server."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def connect(self) -> None:
        """Open the connection anew: servers close one that was idle for some seconds."""
        self._connection.close()
        self._connection.connect()

    def cold(self, workload: Workload) -> bytes:
        """Ask the server to read anew."""
        return self.post("/graphql", workload.body, {"Cache-Control": "no-cache"})

    def hot(self, workload: Workload) -> bytes:
        """Ask the server for what it may have answered before."""
        return self.post("/graphql", workload.body)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> bytes:
        """Send JSON and return the answer's body; raise RuntimeError where it is not 200."""
        content = {"Content-Type": "application/json", "Accept": "application/json"} | (headers or {})
        self._connection.request("POST", path, orjson.dumps(body), content)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != _OK:
            message = f"{path} answered {response.status}: {answer[:500]!r}"
            raise RuntimeError(message)
        return answer
