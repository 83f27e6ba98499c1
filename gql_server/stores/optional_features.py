"""What a store lacks that others have: logged models before MLflow 3, say, or a registry."""

from collections.abc import Awaitable
from typing import TypeVar

from mlflow.exceptions import MlflowException

from gql_server.stores.errors import code_of

_T = TypeVar("_T")
_LACKING = {"ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"}
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}


class RegistryUnsupported(Exception):
    """The kind of store has no model registry."""


async def unless_lacking(answer: Awaitable[_T], otherwise: _T) -> _T:
    """Return the answer, or something else where the store has no such function."""
    try:
        return await answer
    except (NotImplementedError, RegistryUnsupported):
        return otherwise
    except MlflowException as error:
        if code_of(error) in _LACKING:
            return otherwise
        raise


async def unless_absent(answer: Awaitable[_T], *, by_name: bool = False) -> _T | None:
    """Return the answer; None where there is no such thing, or no such kind of thing.

    `by_name` says that what the store calls invalid is a name that nothing can have.
    """
    try:
        return await unless_lacking(answer, None)
    except MlflowException as error:
        if code_of(error) in _ABSENT or (by_name and code_of(error) == "INVALID_PARAMETER_VALUE"):
            return None
        raise
