"""What every call of the port has around it: a time limit, and faults that a client may read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from gql_server.tracking.faults import Foreign, fault_of
from gql_server.tracking.retrying import deadline
from gql_server.tracking.unusable import Unusable
from schema.errors import Fault, StoreTimeout

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
        except Fault:
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault is None:
                raise
            if isinstance(error, Unusable):
                _log.error("%s", error)
            elif isinstance(fault, Foreign):
                _log.warning("the store's answer is not MLflow's: %.300s", error)
            raise fault from error

    return call
