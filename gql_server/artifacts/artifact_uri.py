"""The scheme of an artifact URI, which the creator of an experiment chooses and which may be any text."""

from typing import Final
from urllib.parse import unquote, urlsplit

from schema.ports.errors import UnsupportedByStore

_INVALID: Final = "The URI of these artifacts is not valid."


def artifact_scheme(uri: str) -> str:
    """Return the scheme in lower case; raise `UnsupportedByStore` for a URI that no library can open."""
    try:
        uri.encode()
        scheme = urlsplit(uri).scheme
    except ValueError as error:
        raise UnsupportedByStore(_INVALID) from error
    if "\0" in unquote(uri):
        raise UnsupportedByStore(_INVALID)
    return scheme
