"""The headers of a request as a dict, decoded once for all that read them."""

from collections.abc import Mapping
from typing import Final

from starlette.types import Scope

_SCOPE_KEY: Final = "gql_server.request_headers"


def request_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers by their names in lower case; the values of repeated ones are one list, with commas.

    Starlette's `Headers` encodes the name and compares it with all others at each access, and returns the
    first of repeated ones. A proxy may take the last.
    """
    headers: dict[str, str] | None = scope.get(_SCOPE_KEY)
    if headers is None:
        headers = scope[_SCOPE_KEY] = {}
        for encoded_name, encoded_value in scope["headers"]:
            name, value = encoded_name.decode("latin-1"), encoded_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
