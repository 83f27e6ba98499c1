"""The optional features of stores that MLflow's client reads, by the kind of store and a server's version."""

import re
import time
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from mlflow.exceptions import MlflowException
from mlflow.utils.rest_utils import http_request

from gql_server.stores.mlflow.store_calls import StoreCalls
from schema.ports.store_info import REGISTRY_FEATURES, StoreFeature
from schema.ports.store_kind import StoreKind

_Version: TypeAlias = tuple[int, int]

_PATH: Final = "/version"
_KNOWN_SECONDS: Final = 60.0
"""Time after which a server's version is read again: the server may have been upgraded."""
_SINCE: Final[Mapping[StoreFeature, _Version]] = {
    StoreFeature.ALIASES: (2, 3),
    StoreFeature.DATASETS: (2, 4),
    StoreFeature.LOGGED_MODELS: (3, 0),
    StoreFeature.WORKSPACES: (3, 10),
}
"""The version of MLflow that introduced a feature, if this server reads older versions, too."""
_BY_KIND: Final[Mapping[StoreKind, frozenset[StoreFeature]]] = {
    StoreKind.FILE: frozenset(StoreFeature) - {StoreFeature.WORKSPACES},
    StoreKind.AZURE_ML: frozenset(StoreFeature) - {StoreFeature.WORKSPACES, StoreFeature.LOGGED_MODELS},
}
"""The features of each kind of store that has no version of its own."""


class StoreFeatures:
    """The features of a store; those of an MLflow server follow from its version."""

    def __init__(self, calls: StoreCalls, kind: StoreKind) -> None:
        self._calls = calls
        self._kind = kind
        self._known: tuple[float, Collection[StoreFeature]] | None = None

    async def tracking(self) -> Collection[StoreFeature]:
        """Return the features of the tracking store."""
        return set(await self._all()) - REGISTRY_FEATURES

    async def registry(self) -> Collection[StoreFeature]:
        """Return the features of the store as a model registry."""
        return set(await self._all()) & REGISTRY_FEATURES

    async def _all(self) -> Collection[StoreFeature]:
        if self._known is None or time.monotonic() >= self._known[0]:
            self._known = time.monotonic() + _KNOWN_SECONDS, await self._read()
        return self._known[1]

    async def _read(self) -> Collection[StoreFeature]:
        fixed = _BY_KIND.get(self._kind)
        if fixed is not None:
            return fixed
        version = await self._calls.run(_read_version, reads=True)
        # A server that hides its version, or a plugin, is taken for a recent one.
        return {
            feature for feature in StoreFeature if version is None or _SINCE.get(feature, version) <= version
        }


def _read_version(store: Any) -> _Version | None:
    """Return the major and minor version of an MLflow server; None if it does not say."""
    host_creds = getattr(store, "get_host_creds", None)
    if host_creds is None:
        return None
    try:
        response = http_request(host_creds=host_creds(), endpoint=_PATH, method="GET", raise_on_status=False)
    except MlflowException:
        return None
    match = re.match(r"(\d{1,4})\.(\d{1,4})\b", response.text) if response.ok else None
    return match and (int(match[1]), int(match[2]))
