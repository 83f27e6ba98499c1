"""Pages of MLflow's searches, and the positions of their rows.

MLflow returns a token only for the end of a page. The position of a row is the token of its page and the
number of rows before it in the page, [token, skip], or [offset] if the store's tokens are offsets. An MLflow
server is asked for the offset itself if its tokens are those of MLflow's own stores.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Position

PageToken: TypeAlias = str | None
FetchPage: TypeAlias = Callable[[int, PageToken], Awaitable[Any]]
"""Fetches at most the given number of rows after a token; the result is a list with a `token`."""

PAGE_SIZE: Final = 1000
"""Rows per request; each run includes all its params, metrics and tags."""
OPAQUE_TOKENS: Final = StoreKind.MLFLOW_SERVER
"""The kind to pass for searches whose tokens are opaque on every kind of store: models and the registry."""

_OFFSET_TOKENS = {StoreKind.SQL, StoreKind.FILE}
_MAX_OFFSET = 2**53
_MAX_TOKEN_LENGTH = 4096
_MAX_PAGE_SIZE = 50_000
"""The maximum number of rows that MLflow's stores return at once."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Rows of a search, the position of each, and whether more rows follow the last one."""

    rows: Sequence[Any]
    positions: Sequence[Position]
    has_next: bool


async def read_page(fetch: FetchPage, first: int, start: Position | None, kind: StoreKind) -> SearchPage:
    """Return the first rows from a position on, with the row at the position."""
    token, skip = _resume(start, kind)
    rows: list[Any] = []
    positions: list[Position] = []
    # With `first` = 0, one row is still read to determine `has_next`.
    min_rows = max(first, 1)
    while len(rows) < min_rows:
        page = await fetch(min(skip + min_rows - len(rows), skip + PAGE_SIZE), token)
        next_token = token_text(page.token)
        new_rows = page[skip : skip + min_rows - len(rows)]
        positions.extend(_positions(token, page, next_token, kind)[skip : skip + len(new_rows)])
        rows.extend(new_rows)
        if next_token is None or next_token == token:
            return SearchPage(rows[:first], positions[:first], len(rows) > first)
        token, skip = next_token, 0
    return SearchPage(rows[:first], positions[:first], has_next=True)


async def read_matching_page(
    fetch: FetchPage,
    first: int,
    start: Position | None,
    kind: StoreKind,
    matches: Callable[[Sequence[Any]], Sequence[bool]],
    count_scanned: Callable[[int], None],
    *,
    excess: int = 0,
) -> SearchPage:
    """Return the first matching rows from a position on; `count_scanned` gets the size of each page read.

    `excess` rows more are read at first, because so many are expected not to match.
    """
    token, skip = _resume(start, kind)
    rows: list[Any] = []
    positions: list[Position] = []
    size = first + 1 + excess
    while True:
        page = await fetch(min(skip + size, _MAX_PAGE_SIZE), token)
        count_scanned(len(page))
        next_token = token_text(page.token)
        new_rows = page[skip:]
        matched = matches(new_rows)
        rows.extend(row for row, match in zip(new_rows, matched, strict=True) if match)
        new_positions = _positions(token, page, next_token, kind)[skip:]
        positions.extend(position for position, match in zip(new_positions, matched, strict=True) if match)
        if len(rows) > first or next_token is None or next_token == token:
            return SearchPage(rows[:first], positions[:first], len(rows) > first)
        # Too few rows matched: read larger pages.
        token, skip, size = next_token, 0, min(size * 4, PAGE_SIZE)


async def iterate_pages(fetch: FetchPage, kind: StoreKind) -> AsyncIterator[Sequence[Any]]:
    """Yield all rows, one page at a time; the caller limits how many it reads."""
    token: PageToken = None
    # A file store reads all its entities for each page.
    size = _MAX_PAGE_SIZE if kind is StoreKind.FILE else PAGE_SIZE
    while True:
        page = await fetch(size, token)
        yield page
        next_token = token_text(page.token)
        if next_token is None or next_token == token:
            return
        token = next_token


async def count_rows(fetch: FetchPage, kind: StoreKind, limit: int) -> int | None:
    """Count the rows of a search; return None if there are more than `limit`."""
    total = 0
    async for page in iterate_pages(fetch, kind):
        total += len(page)
        if total > limit:
            return None
    return total


def token_text(token: Any) -> PageToken:
    """Return a store's token as text; SqlAlchemyStore's tokens are bytes, and some stores end with ""."""
    return (token.decode() if isinstance(token, bytes) else token) or None


def _positions(
    token: PageToken, page: Sequence[Any], next_token: PageToken, kind: StoreKind
) -> list[Position]:
    if kind in _OFFSET_TOKENS:
        start = SearchUtils.parse_start_offset_from_page_token(token)
        return [[start + row] for row in range(len(page))]
    offset = _offset(token)
    if offset is not None and next_token == _token_of(offset + len(page)):
        return [[_token_of(offset + row), 0] for row in range(len(page))]
    return [[token, row] for row in range(len(page))]


def _token_of(offset: int) -> PageToken:
    # MLflow's stores refuse a token with 0.
    return token_text(SearchUtils.create_page_token(offset)) if offset else None


def _offset(token: PageToken) -> int | None:
    """Return the offset in a token of MLflow's own stores; None for any other token."""
    if token is None:
        return 0
    try:
        offset = SearchUtils.parse_start_offset_from_page_token(token)
    except (MlflowException, ValueError, AttributeError):
        return None
    return offset if _token_of(offset) == token else None


def _resume(start: Position | None, kind: StoreKind) -> tuple[PageToken, int]:
    match start:
        case None:
            return None, 0
        case [offset] if kind in _OFFSET_TOKENS and _is_count(offset, _MAX_OFFSET):
            return _token_of(offset), 0
        case [str() | None as token, skip] if kind not in _OFFSET_TOKENS and _is_count(skip, _MAX_PAGE_SIZE):
            if len(token or "") <= _MAX_TOKEN_LENGTH:
                return token, skip
    message = "This cursor does not belong to this store."
    raise BadUserInput(message)


def _is_count(value: Any, limit: int) -> bool:
    # `isinstance` would accept a bool.
    return type(value) is int and 0 <= value <= limit
