"""Checks of texts before a store is called."""

from schema.ports.errors import BadUserInput


def check_text(name: str, text: str) -> None:
    """Raise `BadUserInput` for text that no database stores."""
    if "\0" in text:
        message = f"{name} must not contain a NUL character."
        raise BadUserInput(message)


def check_storable(name: str, text: str) -> None:
    """Raise `BadUserInput` for text that not every database stores."""
    if not is_storable(text):
        message = f"{name} contains a character that a database cannot store."
        raise BadUserInput(message)


def is_storable(text: str) -> bool:
    """Return whether a database can store a text: Postgres refuses NUL, and none takes lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
