"""What is noted of one request while it is answered; never a variable, and never a credential."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

_KEY = "gql_server.note"
_LONGEST = 100
"""Characters of a name, of an operation or a caller: the client chooses it."""


@dataclass(slots=True)
class RequestRecord:
    """One request; what is not known stays empty."""

    operation: str = ""
    kind: str = ""
    document: str = ""
    """The first digits of the document's SHA-256."""
    caller: str = ""
    cost: int | None = None
    cached: bool = False
    codes: tuple[str, ...] = field(default=())

    def named(self, caller: str) -> None:
        """Note who asks."""
        # A token's text may hold half of a surrogate pair, which is nothing that a line can be written with.
        self.caller = caller[:_LONGEST].encode("utf-8", "replace").decode()

    def asked(self, name: str | None, source: str) -> None:
        """Note what is asked."""
        self.operation = (name or "")[:_LONGEST]
        self.document = sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def request_record(scope: Any) -> RequestRecord:
    """Return the note of a request; one that nobody reads where nobody began one."""
    note = scope.get(_KEY)
    return note if isinstance(note, RequestRecord) else begin(scope)


def begin(scope: Any) -> RequestRecord:
    """Begin a request's note."""
    note: RequestRecord = scope.setdefault(_KEY, RequestRecord())
    return note
