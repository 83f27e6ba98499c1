"""The credentials in a request's Authorization header."""

import base64
import binascii
from typing import NamedTuple

from starlette.datastructures import Headers


class Basic(NamedTuple):
    """A user name and a password."""

    user: str
    password: str


def bearer_token(headers: Headers) -> str | None:
    """Return the bearer token; None if the request has none."""
    return _value_of(headers, "bearer")


def basic_credentials(headers: Headers) -> Basic | None:
    """Return the user name and password; None if there are none, or either is empty."""
    encoded = _value_of(headers, "basic")
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return Basic(user, password) if colon and user and password else None


def _value_of(headers: Headers, scheme: str) -> str | None:
    values = headers.getlist("authorization")
    if len(values) != 1:
        return None
    name, _, value = values[0].partition(" ")
    value = value.strip()
    return value if name.lower() == scheme and value and " " not in value else None
