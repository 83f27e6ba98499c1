"""The principals whose credentials the MLflow server has accepted."""

from threading import Lock

from cachetools import LRUCache


class VerifiedPrincipals:
    """The principals that were accepted last, up to a limit; threads may update it."""

    def __init__(self, limit: int) -> None:
        self._principals: LRUCache[str, None] = LRUCache(limit)
        self._lock = Lock()

    def __contains__(self, principal: str) -> bool:
        return principal in self._principals

    def update(self, principal: str, *, accepted: bool) -> None:
        """Record whether the MLflow server accepted a principal's credentials."""
        with self._lock:
            self._principals.pop(principal, None)
            if accepted:
                self._principals[principal] = None
