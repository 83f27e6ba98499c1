"""How much of the schema the messages of request errors reveal."""

import re
from dataclasses import dataclass
from typing import Final

_MAX_MESSAGE: Final = 1000
"""Characters of a message: it quotes names from the request, and a client can send very long ones."""
_SUGGESTION: Final = re.compile(r" Did you mean .*\?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What graphql-core's messages may reveal of the schema."""

    suggestions: bool = True
    """Whether a message suggests the names that the client may have meant."""
    names: bool = True
    """Whether a message names types, fields, arguments and values."""

    def redact(self, message: str) -> str:
        """Return the part of a message that a client may see, shortened to a fixed length."""
        if not self.names:
            return "The request does not fit the schema."
        if not self.suggestions:
            message = _SUGGESTION.sub("", message)
        return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


FULL_DETAIL: Final = ErrorDetail()
