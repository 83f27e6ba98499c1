"""Messages of libraries and quoted input, in a form that a client may read."""

import re

_MAX_LENGTH = 500
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,40}://\S+", re.IGNORECASE)
"""Matches a URL; the scheme is bounded, so that the time is linear for text that a client chose."""


def shortened(message: str) -> str:
    """Return a message as one line of limited length without URLs."""
    text = _URL.sub("(a URL)", " ".join(message.split()))
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
