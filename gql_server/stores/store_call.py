"""What every call of the port has around it: a time limit, and faults that a client may read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from gql_server.runtime.retry import deadline
from gql_server.stores.errors import NotMlflowError, public_error_from
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import PublicError, StoreTimeout

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Timed(Protocol):
    """A store that says how many seconds one call of the port may take."""

    @property
    def timeout(self) -> float:
        """Return the seconds."""
        ...


_S = TypeVar("_S", bound=Timed)


def too_slow(seconds: float) -> StoreTimeout:
    """Return the fault of a call that took longer than it may."""
    return StoreTimeout(f"The tracking store did not answer within {seconds:g} seconds (GQL_STORE_TIMEOUT).")


def port_call(
    method: Callable[Concatenate[_S, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[_S, _P], Coroutine[Any, Any, _T]]:
    """Make a method of the port end in time, and raise nothing but faults where it meets expected errors."""

    @wraps(method)
    async def call(self: _S, /, *args: _P.args, **options: _P.kwargs) -> _T:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                deadline.set(limit.when())
                return await method(self, *args, **options)
        except TimeoutError as error:
            raise too_slow(self.timeout) from error
        except PublicError:
            raise
        except Exception as error:
            fault = public_error_from(error)
            if fault is None:
                raise
            if isinstance(error, StoreConfigError):
                _log.error("%s", error)
            elif isinstance(fault, NotMlflowError):
                _log.warning("the store's answer is not MLflow's: %.300s", error)
            raise fault from error

    return call
