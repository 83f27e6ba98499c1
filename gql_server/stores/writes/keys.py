"""Checks of the keys of tags, params and metrics before they are written."""

import re

from mlflow.exceptions import MlflowException
from mlflow.utils import validation

# In MLflow's own pattern of a key, `$` also matches before a newline at the end.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_key(key: str, name: str) -> None:
    """Raise MLflow's exception for a key that MLflow refuses, or that has a control character."""
    validation._validate_tag_name(key, name)  # noqa: SLF001
    if _CONTROL.search(key):
        message = validation.invalid_value(name, key, validation.bad_character_message())
        raise MlflowException.invalid_parameter_value(message)
