"""The headers of a request as a dict, decoded once for all that read them."""

from collections.abc import Mapping
from typing import Final

from starlette.types import Scope

_SCOPE_KEY: Final = "gql_server.request_headers"


def request_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers by their names in lower case; of repeated ones the first, as in Starlette.

    Starlette's `Headers` encodes the name and compares it with all others at each access.
    """
    headers: dict[str, str] | None = scope.get(_SCOPE_KEY)
    if headers is None:
        headers = scope[_SCOPE_KEY] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])
        }
    return headers
