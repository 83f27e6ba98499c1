"""The numbers of subscriptions of one process, in all and of each caller."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gql_server.auth.caller import Caller
from gql_server.config.limits import LiveLimits
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError


class SubscriptionCounts:
    """Counts the subscriptions to live queries and to streams, and refuses those beyond the limits."""

    def __init__(self, limits: LiveLimits) -> None:
        self._limits = limits
        self._by_caller: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Return the number of subscriptions."""
        return self._by_caller.total()

    @contextmanager
    def subscription(self, caller: Caller) -> Iterator[None]:
        """Count a subscription while the context is entered; raise `RequestError` if there are too many."""
        limits, counts, name = self._limits, self._by_caller, caller.name
        check_count(self.total, limits.max_subscriptions, "subscriptions", "GQL_MAX_SUBSCRIPTIONS")
        what, setting = "subscriptions of one caller", "GQL_MAX_CALLER_SUBSCRIPTIONS"
        check_count(counts[name], limits.max_caller_subscriptions, what, setting)
        counts[name] += 1
        try:
            yield
        finally:
            counts[name] -= 1
            if not counts[name]:
                del counts[name]


def check_count(count: int, limit: int, what: str, setting: str) -> None:
    """Raise `RequestError` if one more would be beyond a limit."""
    if count >= limit:
        message = f"The server has {limit} {what} ({setting})."
        raise RequestError.from_message(message, ErrorCode.LIMIT_EXCEEDED)
