"""Registered models and versions from MLflow's registry store, in as few calls as MLflow lets one make."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.store.entities.paged_list import PagedList
from mlflow.utils.search_utils import SearchModelUtils

from gql_server.stores.mlflow import paging
from gql_server.stores.mlflow.store_calls import StoreCalls, together
from gql_server.stores.optional_features import unless_absent, unless_lacking
from gql_server.stores.sql.dialect import storable
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.registry import VersionKey
from schema.ports.store_kind import StoreKind

_T = TypeVar("_T")
PLACES = StoreKind.MLFLOW_SERVER
"""Places are named by the registry's tokens, whatever they are: as an MLflow server's are."""
_IDS_AT_ONCE = 200
_MOST_ROWS = 1000
"""No registry returns more at once."""
_ORDERS = {StoreKind.SQL, StoreKind.MLFLOW_SERVER, StoreKind.FILE}
"""Where an order is known to be taken; elsewhere the store's own order stands."""


class RegistryReader:
    """Reads a registry through `calls`; goes through at most `max_scanned` versions to find what is asked."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, max_scanned: int) -> None:
        self._calls = calls
        self._kind = kind
        self._max_scanned = max_scanned
        self._latest = ["version_number DESC"] if kind in _ORDERS else None

    def search(self, filter_: str | None) -> paging.Search:
        """Return the search for models as something to page through."""
        if "\x00" in (filter_ or ""):
            message = "filter must not hold a NUL character."
            raise BadUserInput(message)
        if self._kind is StoreKind.FILE:
            # Which looks at a filter only when it has a model to hold against it.
            SearchModelUtils.parse_search_filter(filter_)
        return partial(self._search, "search_registered_models", filter_, None)

    async def models(self, names: Sequence[str]) -> dict[str, RegisteredModel]:
        """Return those of the models that are there; a prompt is none."""
        distinct = list(filter(_possible, dict.fromkeys(names)))
        found = await _all(self._get("get_registered_model", name) for name in distinct)
        there = zip(distinct, found, strict=True)
        return {name: model for name, model in there if model is not None and not _is_prompt(model)}

    async def versions_of(
        self, names: Sequence[str], ask: Callable[[paging.Search], Awaitable[_T]]
    ) -> Mapping[str, _T]:
        """Put a question to the search for each model's versions, all at once."""
        distinct = list(dict.fromkeys(names))
        found = await _all(ask(self._of_model(name)) for name in distinct)
        return dict(zip(distinct, found, strict=True))

    async def versions(self, keys: Sequence[VersionKey]) -> dict[VersionKey, ModelVersion]:
        """Return those of the versions that are there; a prompt's are not."""
        distinct = [key for key in dict.fromkeys(keys) if _possible(key.name)]
        found = await _all(self._get("get_model_version", *key) for key in distinct)
        there = zip(distinct, found, strict=True)
        return {key: version for key, version in there if version is not None and not _is_prompt(version)}

    async def of_runs(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """Return the versions that were made from each run, by name, the latest first."""
        distinct = list(dict.fromkeys(run_ids))
        chunks = [distinct[start : start + _IDS_AT_ONCE] for start in range(0, len(distinct), _IDS_AT_ONCE)]
        pages = await _all(self._every(f"run_id IN ({', '.join(map(repr, chunk))})") for chunk in chunks)
        made: dict[str, list[ModelVersion]] = {}
        for version in sorted((one for page in pages for one in page), key=_by_name):
            made.setdefault(version.run_id, []).append(version)
        return made

    async def _get(self, method: str, *key: str) -> Any:
        return await unless_absent(self._calls.one(method, *key), by_name=True)

    def _of_model(self, name: str) -> paging.Search:
        # MLflow's filter has no way to write a name with both kinds of quote in it.
        quote = "'" if "'" not in name else '"' if '"' not in name else ""
        if not quote or not _possible(name):
            return _nothing
        return partial(self._search, "search_model_versions", f"name = {quote}{name}{quote}", self._latest)

    async def _every(self, filter_: str) -> list[ModelVersion]:
        found: list[ModelVersion] = []
        search = partial(self._search, "search_model_versions", filter_, None)
        async for page in paging.pages(search, PLACES):
            found.extend(page)
            if len(found) > self._max_scanned:
                message = f"There are more than {self._max_scanned} versions (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
        return found

    async def _search(
        self, method: str, filter_: str | None, order: list[str] | None, size: int, token: paging.Token
    ) -> Any:
        found = self._calls.one(method, filter_, min(size, _MOST_ROWS), order, token)
        return await unless_lacking(found, PagedList([], None))


async def _nothing(_size: int, _token: paging.Token) -> Any:
    return PagedList([], None)


def _possible(name: str) -> bool:
    """Say whether a model can have this name and a store be asked for it."""
    return bool(name) and storable(name)


async def _all(answers: Any) -> Sequence[Any]:
    return await together([asyncio.ensure_future(answer) for answer in answers])


def _by_name(version: ModelVersion) -> tuple[str, int]:
    return version.name, -int(version.version)


def _is_prompt(entity: Any) -> bool:
    return bool(entity._is_prompt())  # noqa: SLF001 - the tags that are public leave out the one that says so
