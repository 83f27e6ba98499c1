"""Registered models and versions from MLflow's registry store, in as few calls as MLflow allows."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.store.entities.paged_list import PagedList

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.filters.model_filters import MODEL_FILTERS
from gql_server.stores.mlflow.client_errors import no_entity
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow_names import PROMPT_TAG
from gql_server.stores.optional_features import default_if_unsupported, none_if_missing
from gql_server.stores.paging import OPAQUE_TOKENS, FetchPage, PageToken, iterate_pages
from gql_server.stores.text_validation import is_storable
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.registry import VersionKey
from schema.ports.store_kind import StoreKind

_T = TypeVar("_T")
_IDS_PER_SEARCH = 200
_MAX_PAGE_SIZE = 1000
"""The maximum page size of every registry."""
_ORDERS_VERSIONS = {StoreKind.SQL, StoreKind.MLFLOW_SERVER, StoreKind.FILE}
"""Stores that accept an order of versions; others return their own order, such as the last changed first."""
_LATEST_FIRST = ["version_number DESC"]
_DIFFICULT = re.compile(r"[^\w .-]|_")
"""The characters that a pattern does not name: quotes, escapes, and what some databases compare otherwise."""
_OF_PROMPTS = f"tags.`{PROMPT_TAG}` = 'true'"
"""Without this clause, a search of versions leaves out those of prompts."""


class RegistryReader:
    """Reads a registry through `calls`; scans at most `max_scanned` versions per call."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, max_scanned: int) -> None:
        self._calls = calls
        self._kind = kind
        self._max_scanned = max_scanned

    async def fetch_models(self, filter_: str, size: int, token: PageToken) -> Any:
        """Return a page of the models that match a filter."""
        return await self._fetch("search_registered_models", filter_ or None, None, size, token)

    async def models(self, names: Sequence[str]) -> dict[str, RegisteredModel]:
        """Return the models and prompts that exist."""
        distinct = list(filter(_is_possible_name, dict.fromkeys(names)))
        models = await gather_or_cancel(self._get("get_registered_model", name) for name in distinct)
        return {name: model for name, model in zip(distinct, models, strict=True) if model is not None}

    async def read_versions(
        self, names: Sequence[str], read: Callable[[FetchPage], Awaitable[_T]], before: int | None = None
    ) -> Mapping[str, _T]:
        """Return the result of `read` for each model; it gets a function that fetches pages of versions.

        The versions are the latest first. With `before`, they are those before this number.
        """
        distinct = list(dict.fromkeys(names))
        results = await gather_or_cancel(read(self._versions_fetcher(name, before)) for name in distinct)
        return dict(zip(distinct, results, strict=True))

    async def versions(self, keys: Sequence[VersionKey]) -> dict[VersionKey, ModelVersion]:
        """Return the versions that exist."""
        distinct = [key for key in dict.fromkeys(keys) if _is_possible_name(key.name)]
        versions = await gather_or_cancel(self._get("get_model_version", *key) for key in distinct)
        return {key: version for key, version in zip(distinct, versions, strict=True) if version is not None}

    async def versions_of_runs(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """Return the versions created from each run, by name, latest first."""
        distinct = list(dict.fromkeys(run_ids))
        starts = range(0, len(distinct), _IDS_PER_SEARCH)
        chunks = [distinct[start : start + _IDS_PER_SEARCH] for start in starts]
        results = await gather_or_cancel(
            self._scan_versions(f"run_id IN ({', '.join(map(repr, chunk))})") for chunk in chunks
        )
        by_run: dict[Any, list[ModelVersion]] = {}
        for version in sorted((version for versions in results for version in versions), key=_sort_key):
            by_run.setdefault(version.run_id, []).append(version)
        return by_run

    async def _get(self, method: str, *key: str) -> Any:
        entity = await none_if_missing(self._calls.call(method, *key), by_name=True)
        if entity is not None and not entity.name:
            raise no_entity()
        return entity

    def _versions_fetcher(self, name: str, before: int | None) -> FetchPage:
        if not _is_possible_name(name):
            return _fetch_nothing
        filter_ = _name_clause(name)
        if self._kind not in _ORDERS_VERSIONS:
            return _of_model(name, partial(self._fetch_sorted, filter_, before))
        if before is not None:
            filter_ = f"{filter_} AND version_number < {before}"
        if self._kind is not StoreKind.MLFLOW_SERVER:
            return _of_model(name, partial(self._fetch, "search_model_versions", filter_, _LATEST_FIRST))
        return _of_model(name, partial(self._fetch_with_prompts, filter_))

    async def _fetch_with_prompts(self, filter_: str, size: int, token: PageToken) -> Any:
        page = await self._fetch("search_model_versions", filter_, _LATEST_FIRST, size, token)
        # A model has either versions of models or versions of a prompt.
        if page:
            return page
        of_prompt = f"{filter_} AND {_OF_PROMPTS}"
        return await self._fetch("search_model_versions", of_prompt, _LATEST_FIRST, size, token)

    async def _fetch_sorted(self, filter_: str, before: int | None, size: int, token: PageToken) -> Any:
        """Return a page of the versions, the latest first, of a store that does not order them."""
        versions = sorted(await self._scan_versions(filter_), key=_sort_key)
        if before is not None:
            versions = [version for version in versions if int(version.version) < before]
        start = int(token) if token and token.isdecimal() else 0
        stop = start + min(size, _MAX_PAGE_SIZE)
        return PagedList(versions[start:stop], str(stop) if stop < len(versions) else None)

    async def _scan_versions(self, filter_: str) -> list[ModelVersion]:
        versions: list[ModelVersion] = []
        fetch = partial(self._fetch, "search_model_versions", filter_, None)
        async for page in iterate_pages(fetch, OPAQUE_TOKENS):
            versions.extend(page)
            if len(versions) > self._max_scanned:
                message = f"There are more than {self._max_scanned} versions (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
        return versions

    async def _fetch(
        self, method: str, filter_: str | None, order_by: list[str] | None, size: int, token: PageToken
    ) -> Any:
        result = self._calls.call(method, filter_, min(size, _MAX_PAGE_SIZE), order_by, token)
        return await default_if_unsupported(result, PagedList([], None))


async def _fetch_nothing(_size: int, _token: PageToken) -> Any:
    return PagedList([], None)


def _of_model(name: str, fetch: FetchPage) -> FetchPage:
    """Return a function that fetches the versions of a model among those that match its clause."""

    async def fetch_of_model(size: int, token: PageToken) -> Any:
        page = await fetch(size, token)
        return PagedList([version for version in page if version.name == name], page.token)

    return fetch_of_model


def _name_clause(name: str) -> str:
    """Return a clause that all versions of a model match.

    MLflow's filter syntax cannot express some names, such as one with both kinds of quotes.
    """
    for text in (f"name = '{name}'", f'name = "{name}"'):
        with suppress(BadUserInput):
            # A backslash at the end escapes the quote if another clause follows.
            comparisons = MODEL_FILTERS.parse(f"{text} AND name = 'x'")
            if [each.value for each in comparisons] == [name, "x"]:
                return text
    pattern = _DIFFICULT.sub("%", name)
    return f"name LIKE '{pattern}'"


def _is_possible_name(name: str) -> bool:
    """Return whether a model can have this name and a store accepts it in a lookup."""
    return bool(name) and is_storable(name)


def _sort_key(version: ModelVersion) -> tuple[str, int]:
    return version.name, -int(version.version)
