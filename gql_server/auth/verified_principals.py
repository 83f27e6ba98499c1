"""Whose credentials the MLflow server has accepted, as far as was seen."""

from collections import OrderedDict
from threading import Lock


class VerifiedPrincipals:
    """The principals that were accepted last, `most` of them; threads may tell of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._principals: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, principal: str) -> bool:
        return principal in self._principals

    def learn(self, principal: str, *, accepted: bool) -> None:
        """Note what the server made of someone's credentials."""
        with self._lock:
            self._principals.pop(principal, None)
            if accepted:
                self._principals[principal] = None
            if len(self._principals) > self._most:
                self._principals.popitem(last=False)
