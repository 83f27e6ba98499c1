"""Pages of MLflow's searches, and the places between their rows.

MLflow names only where a page ends. A place inside one is named here by the page's own start and how many
rows to skip: [token, skip], or [offset] where the store's tokens are known to be offsets.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mlflow.utils.search_utils import SearchUtils

from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Position

Token: TypeAlias = str | None
Search: TypeAlias = Callable[[int, Token], Awaitable[Any]]
"""Search for at most so many rows behind a token; the answer is a list with a `token`."""

LARGEST_PAGE = 1000
"""How many rows are asked for at once; a run brings all its params, metrics and tags along."""

_OFFSETS = {StoreKind.SQL, StoreKind.FILE}
_MOST_OFFSET = 2**53
_LONGEST_TOKEN = 4096
_MOST_ROWS = 50_000
"""The most rows that MLflow's stores return at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a search, the place behind each, and whether more follow the last."""

    rows: Sequence[Any]
    places: Sequence[Position]
    has_next: bool


async def read(search: Search, first: int, after: Position | None, kind: StoreKind) -> Found:
    """Return the first rows behind a place."""
    token, skip = _resume(after, kind)
    rows: list[Any] = []
    places: list[Position] = []
    # Where no row is wanted, whether one is there still is.
    wanted = max(first, 1)
    while len(rows) < wanted:
        page = await search(min(skip + wanted - len(rows), skip + LARGEST_PAGE), token)
        following = text_of(page.token)
        fresh = page[skip : skip + wanted - len(rows)]
        places.extend(_places(token, skip, fresh, following, kind))
        rows.extend(fresh)
        if following is None or following == token:
            return Found(rows[:first], places[:first], len(rows) > first)
        token, skip = following, 0
    return Found(rows[:first], places[:first], has_next=True)


async def matching(
    search: Search,
    first: int,
    after: Position | None,
    kind: StoreKind,
    matches: Callable[[Sequence[Any]], Sequence[bool]],
    spend: Callable[[int], None],
) -> Found:
    """Return the first rows behind a place of those that match; `spend` is told of all that are read."""
    token, skip = _resume(after, kind)
    rows: list[Any] = []
    places: list[Position] = []
    size = first + 1
    while True:
        page = await search(min(skip + size, _MOST_ROWS), token)
        spend(len(page))
        following = text_of(page.token)
        fresh = page[skip:]
        held = matches(fresh)
        rows.extend(row for row, holds in zip(fresh, held, strict=True) if holds)
        behind = _places(token, skip, fresh, following, kind)
        places.extend(place for place, holds in zip(behind, held, strict=True) if holds)
        if len(rows) > first or following is None or following == token:
            return Found(rows[:first], places[:first], len(rows) > first)
        # The fewer match, the more are asked for at once.
        token, skip, size = following, 0, min(size * 4, LARGEST_PAGE)


async def pages(search: Search, kind: StoreKind) -> AsyncIterator[Sequence[Any]]:
    """Go through all rows, a page at a time; whoever asks sets the bound."""
    token: Token = None
    # A file store reads all that there is for each page of it.
    size = _MOST_ROWS if kind is StoreKind.FILE else LARGEST_PAGE
    while True:
        page = await search(size, token)
        yield page
        following = text_of(page.token)
        if following is None or following == token:
            return
        token = following


async def count(search: Search, kind: StoreKind, most: int) -> int | None:
    """Count what a search finds; None where there is more than `most`."""
    total = 0
    async for page in pages(search, kind):
        total += len(page)
        if total > most:
            return None
    return total


def text_of(token: Any) -> Token:
    """Return a store's token as text: SqlAlchemyStore's are bytes, others say "" at the end."""
    return (token.decode() if isinstance(token, bytes) else token) or None


def _places(
    token: Token, skip: int, rows: Sequence[Any], following: Token, kind: StoreKind
) -> list[Position]:
    if kind in _OFFSETS:
        start = SearchUtils.parse_start_offset_from_page_token(token) + skip
        return [[start + row + 1] for row in range(len(rows))]
    places: list[Position] = [[token, skip + row + 1] for row in range(len(rows))]
    if places and following is not None:
        # The page's end has a name of its own: nothing has to be read again there.
        places[-1] = [following, 0]
    return places


def _resume(after: Position | None, kind: StoreKind) -> tuple[Token, int]:
    match after:
        case None:
            return None, 0
        case [offset] if kind in _OFFSETS and _is_count(offset, _MOST_OFFSET):
            return text_of(SearchUtils.create_page_token(offset)), 0
        case [str() | None as token, skip] if kind not in _OFFSETS and _is_count(skip, _MOST_ROWS):
            if len(token or "") <= _LONGEST_TOKEN:
                return token, skip
    message = "This cursor is not one that this store gave."
    raise BadUserInput(message)


def _is_count(value: Any, most: int) -> bool:
    # A bool would pass for an int.
    return type(value) is int and 0 <= value <= most
