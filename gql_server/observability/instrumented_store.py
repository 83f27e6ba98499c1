"""A store whose calls are counted, timed and traced; it has all the methods of the one within."""

import inspect
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from gql_server.observability.metrics import Metrics
from gql_server.observability.tracing import span
from schema.ports.errors import PublicError
from schema.ports.tracking import Tracking


def instrumented(store: Tracking, metrics: Metrics) -> Tracking:
    """Return the store, watched."""
    return cast("Tracking", _InstrumentedStore(store, metrics))


class _InstrumentedStore:
    def __init__(self, inner: Tracking, metrics: Metrics) -> None:
        self._inner = inner
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        """Return what the store within has, its asynchronous methods watched."""
        found = getattr(self._inner, name)
        return _timed(name, found, self._metrics) if inspect.iscoroutinefunction(found) else found


def _timed(name: str, call: Callable[..., Any], metrics: Metrics) -> Callable[..., Any]:
    @wraps(call)
    async def timed(*arguments: Any, **options: Any) -> Any:
        start, outcome = time.perf_counter(), "ok"
        try:
            with span(f"store {name}"):
                return await call(*arguments, **options)
        except PublicError as fault:
            outcome = fault.code
            raise
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            metrics.called(name, outcome, time.perf_counter() - start)

    return timed
