"""The error of a filter that is refused."""

from gql_server.stores.errors import shortened
from schema.ports.errors import BadUserInput


def refusal(message: str) -> BadUserInput:
    """Return the error of a filter with this message, which may quote the filter."""
    return BadUserInput(shortened(message))
