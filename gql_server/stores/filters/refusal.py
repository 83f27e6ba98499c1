"""The error of a filter that is refused."""

from gql_server.stores.message_text import shortened
from schema.ports.errors import BadUserInput


def refusal(message: str) -> BadUserInput:
    """Return the error of a filter with this message, which may quote the filter."""
    return BadUserInput(shortened(message))
