"""Features that a store may not have, such as logged models before MLflow 3, or a registry."""

from collections.abc import Awaitable
from typing import TypeVar

from mlflow.exceptions import MlflowException

from gql_server.stores.mlflow.client_errors import code_of

_T = TypeVar("_T")
_UNSUPPORTED = {"ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"}
_MISSING = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}


class RegistryUnsupported(Exception):
    """The kind of store has no model registry."""


async def default_if_unsupported(result: Awaitable[_T], default: _T) -> _T:
    """Return the result, or the default if the store does not have the function."""
    try:
        return await result
    except (NotImplementedError, RegistryUnsupported):
        return default
    except MlflowException as error:
        if code_of(error) in _UNSUPPORTED:
            return default
        raise


async def none_if_missing(result: Awaitable[_T], *, by_name: bool = False) -> _T | None:
    """Return the result, or None if the store does not have the object or the kind of object.

    With `by_name`, a parameter that the store calls invalid is a name that no object can have.
    """
    try:
        return await default_if_unsupported(result, None)
    except MlflowException as error:
        if code_of(error) in _MISSING or (by_name and code_of(error) == "INVALID_PARAMETER_VALUE"):
            return None
        raise
