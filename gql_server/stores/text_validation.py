"""Checks of keys and values before a store is called."""

import re

from mlflow.exceptions import MlflowException
from mlflow.utils import validation

from schema.ports.errors import BadUserInput

# In MLflow's own pattern of a key, `$` also matches before a newline at the end.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_text(name: str, text: str) -> None:
    """Raise `BadUserInput` for text that no database stores."""
    if "\0" in text:
        message = f"{name} must not contain a NUL character."
        raise BadUserInput(message)


def check_key(key: str, name: str) -> None:
    """Raise MLflow's exception for a key that MLflow refuses, or that has a control character."""
    validation._validate_tag_name(key, name)  # noqa: SLF001
    if _CONTROL.search(key):
        message = validation.invalid_value(name, key, validation.bad_character_message())
        raise MlflowException.invalid_parameter_value(message)


def is_storable(text: str) -> bool:
    """Return whether a database can store a text: Postgres refuses NUL, and none takes lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
