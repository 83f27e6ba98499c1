"""The record of one request for the access log, metrics and traces, without variables and credentials."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

_SCOPE_KEY = "gql_server.request_record"
_MAX_NAME_LENGTH = 100
"""Characters of an operation's or a caller's name that are recorded: the client chooses them."""
_HASH_DIGITS = 16


@dataclass(slots=True)
class RequestRecord:
    """What is known of one request; unknown fields stay empty."""

    operation: str = ""
    kind: str = ""
    document: str = ""
    """The first digits of the document's SHA-256."""
    caller: str = ""
    cost: int | None = None
    cached: bool = False
    codes: tuple[str, ...] = ()

    def set_caller(self, name: str) -> None:
        """Record the name of the caller."""
        # A token may contain a lone surrogate, which cannot be encoded as UTF-8.
        self.caller = name[:_MAX_NAME_LENGTH].encode("utf-8", "replace").decode()

    def set_document(self, operation_name: str | None, source: str) -> None:
        """Record the document's hash and the name of the operation, if the request has one."""
        self.operation = (operation_name or "")[:_MAX_NAME_LENGTH]
        self.document = sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]

    def set_operation(self, kind: str, name: str, cost: int) -> None:
        """Record an operation that is about to be executed; `name` is its name in the document."""
        self.kind, self.cost = kind, cost
        self.operation = self.operation or name[:_MAX_NAME_LENGTH]


def request_record(scope: Any) -> RequestRecord:
    """Return the record of a request from its ASGI scope; the first call adds it."""
    record: RequestRecord | None = scope.get(_SCOPE_KEY)
    if record is None:
        record = scope[_SCOPE_KEY] = RequestRecord()
    return record
