"""What a request brings to say who sends it."""

import base64
import binascii
from typing import NamedTuple

from starlette.datastructures import Headers


class Basic(NamedTuple):
    """A name and a password."""

    user: str
    password: str


def bearer_token(headers: Headers) -> str | None:
    """Return the token in Authorization; None where there is none."""
    return _after(headers, "bearer")


def basic_credentials(headers: Headers) -> Basic | None:
    """Return the name and password in Authorization; None where there are none, or either is empty."""
    encoded = _after(headers, "basic")
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return Basic(user, password) if colon and user and password else None


def _after(headers: Headers, scheme: str) -> str | None:
    values = headers.getlist("authorization")
    if len(values) != 1:
        return None
    given, _, rest = values[0].partition(" ")
    rest = rest.strip()
    return rest if given.lower() == scheme and rest and " " not in rest else None
