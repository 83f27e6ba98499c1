"""The wrapper of every call of the port: a time limit, and errors that a client may read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from gql_server.runtime.deadline import deadline
from gql_server.stores.errors import public_error_from
from gql_server.stores.not_mlflow_error import NotMlflowError
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import PublicError, StoreTimeout

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class HasTimeout(Protocol):
    """A store with a limit on the time of one call of the port."""

    @property
    def timeout(self) -> float:
        """Return the limit in seconds."""
        ...


_S = TypeVar("_S", bound=HasTimeout)


def store_timeout(seconds: float) -> StoreTimeout:
    """Return the error for a call that took longer than `seconds`."""
    return StoreTimeout(f"The tracking store did not respond within {seconds:g} seconds (GQL_STORE_TIMEOUT).")


def port_call(
    method: Callable[Concatenate[_S, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[_S, _P], Coroutine[Any, Any, _T]]:
    """Limit the time of a method of the port, and convert expected errors to `PublicError`."""

    @wraps(method)
    async def call(self: _S, /, *args: _P.args, **options: _P.kwargs) -> _T:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                deadline.set(limit.when())
                return await method(self, *args, **options)
        except TimeoutError as error:
            raise store_timeout(self.timeout) from error
        except PublicError:
            raise
        except Exception as error:
            public_error = public_error_from(error)
            if public_error is None:
                raise
            if isinstance(error, StoreConfigError):
                _log.error("%s", error)
            elif isinstance(public_error, NotMlflowError):
                _log.warning("the response of the tracking store is not MLflow's: %.300s", error)
            raise public_error from error

    return call
