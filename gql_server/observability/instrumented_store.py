"""A store whose calls are counted, timed and traced."""

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
    """Return a store with the same methods that observes each call of an asynchronous one."""
    return cast("Tracking", _InstrumentedStore(store, metrics))


class _InstrumentedStore:
    def __init__(self, inner: Tracking, metrics: Metrics) -> None:
        self._inner = inner
        self._metrics = metrics

    def snapshot(self, *, single_read: bool) -> Tracking:
        """Return the store for one operation, instrumented as well."""
        inner: Any = self._inner
        if hasattr(inner, "snapshot"):
            inner = inner.snapshot(single_read=single_read)
        return instrumented(inner, self._metrics)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if inspect.iscoroutinefunction(attribute):
            return _instrumented_method(name, attribute, self._metrics)
        return attribute


def _instrumented_method(name: str, method: Callable[..., Any], metrics: Metrics) -> Callable[..., Any]:
    @wraps(method)
    async def call(*arguments: Any, **options: Any) -> Any:
        start, outcome = time.perf_counter(), "ok"
        try:
            with span(f"store {name}"):
                return await method(*arguments, **options)
        except PublicError as error:
            outcome = error.code
            raise
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            metrics.observe_store_call(name, outcome, time.perf_counter() - start)

    return call
