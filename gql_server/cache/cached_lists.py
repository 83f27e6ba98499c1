"""Pieces: what one parent has of a `Many`, apart from the others, so that it can be kept alone."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, TypeAlias

from schema.ports.table import Many, Table

CachedList: TypeAlias = Mapping[str, Sequence[Any]]
"""Equally long columns, by name."""


def split(many: Many) -> list[CachedList]:
    """Return each parent's piece; a piece copies what it holds."""
    columns = list(many.rows.columns.items())
    return [{name: column[start:stop] for name, column in columns} for start, stop in many.spans]  # type: ignore[index]


def join(pieces: Sequence[CachedList]) -> Many:
    """Return the pieces as one table again, with the columns that all of them have; at least one piece."""
    names = set(pieces[0]).intersection(*pieces)
    columns = {name: list(chain.from_iterable(piece[name] for piece in pieces)) for name in names}
    bounds = accumulate(map(length, pieces), initial=0)
    spans = list(pairwise(bounds))
    return Many(Table(spans[-1][1], columns), spans)


def length(piece: CachedList) -> int:
    """Return how many rows a piece has."""
    return len(next(iter(piece.values()), ()))


def under(piece: CachedList, keys: Collection[str]) -> CachedList:
    """Return only the rows under these keys."""
    kept = [place for place, key in enumerate(piece["key"]) if key in keys]
    return {name: [column[place] for place in kept] for name, column in piece.items()}
