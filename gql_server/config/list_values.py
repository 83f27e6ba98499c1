"""Settings that are lists, written with commas between the entries."""

import re

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/?#@\s]+")
_HOST = re.compile(r"\*|(\*\.)?[^/@:*\s]+|\[?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*\]?", re.IGNORECASE)


def split_list(text: str) -> list[str]:
    """Return the entries of a list."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def check_origins(text: str) -> str:
    """Return a list of origins in lower case, as browsers send them.

    Raises ValueError for an entry that no browser would send: it would silently allow no page.
    """
    for origin in split_list(text.lower()):
        if not _ORIGIN.fullmatch(origin):
            message = f"{origin!r} is not an origin such as https://app.example.org (no path, no slash)"
            raise ValueError(message)
    return text.lower()


def check_hosts(text: str) -> str:
    """Return a list of host names; raise ValueError for an entry that is not a host name."""
    for name in split_list(text):
        if not _HOST.fullmatch(name):
            message = f"{name!r} is not a host name such as mlflow.example.org or *.example.org (no port)"
            raise ValueError(message)
    return text
