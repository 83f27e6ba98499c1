"""Settings that are lists: texts with commas between, checked where a wrong entry would never be met."""

import re

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/?#@\s]+")
_HOST = re.compile(r"\*|(\*\.)?[^/@:*\s]+|\[?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*\]?", re.IGNORECASE)


def listed(text: str) -> list[str]:
    """Return the entries of a list."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def check_origins(text: str) -> str:
    """Return a list of origins as browsers write them; raise ValueError where one never would be."""
    for origin in listed(text.lower()):
        if not _ORIGIN.fullmatch(origin):
            message = (
                f"{origin!r} is no origin such as https://app.example.org, which has no path and no slash"
            )
            raise ValueError(message)
    return text.lower()


def check_hosts(text: str) -> str:
    """Return a list of names of hosts; raise ValueError for what is more than a name."""
    for name in listed(text):
        if not _HOST.fullmatch(name):
            message = f"{name!r} is no name such as mlflow.example.org or *.example.org, which has no port"
            raise ValueError(message)
    return text
