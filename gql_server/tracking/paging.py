"""Pages of MLflow's searches, and the places between their rows.

MLflow names only where a page ends. A place inside one is named here by the page's own start and how many
rows to skip: [token, skip], or [offset] where the store's tokens are known to be offsets.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mlflow.utils.search_utils import SearchUtils

from schema.errors import BadUserInput
from schema.store_kind import StoreKind
from schema.tracking import Position

Token: TypeAlias = str | None
Search: TypeAlias = Callable[[int, Token], Awaitable[Any]]
"""Search for at most so many rows behind a token; the answer is a list with a `token`."""

LARGEST_PAGE = 1000
"""How many rows are asked for at once; a run brings all its params, metrics and tags along."""

_OFFSETS = {StoreKind.SQL, StoreKind.FILE}
_MOST_OFFSET = 2**53
_LONGEST_TOKEN = 4096


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


async def pages(search: Search) -> AsyncIterator[Sequence[Any]]:
    """Go through all rows, a page at a time; whoever asks sets the bound."""
    token: Token = None
    while True:
        page = await search(LARGEST_PAGE, token)
        yield page
        following = text_of(page.token)
        if following is None or following == token:
            return
        token = following


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
        case [str() | None as token, skip] if kind not in _OFFSETS and _is_count(skip, LARGEST_PAGE):
            if len(token or "") <= _LONGEST_TOKEN:
                return token, skip
    message = "This cursor is not one that this store gave."
    raise BadUserInput(message)


def _is_count(value: Any, most: int) -> bool:
    # A bool would pass for an int.
    return type(value) is int and 0 <= value <= most
