"""Making objects of columns."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from schema.engine.leaf_columns import NotBatchable

_MOST_COMPILED = 64
"""The longest selection that a function is compiled for, and so the number of such functions."""


def objects(names: tuple[str, ...], columns: Sequence[Sequence[Any]], size: int) -> list[dict[str, Any]]:
    """Return an object for each row of the columns; NotCovered where one is not `size` long."""
    if any(len(column) != size for column in columns):
        # The store's answer is broken; row by row it is found out where.
        raise NotBatchable
    if not names:
        return [{} for _ in range(size)]
    if len(names) > _MOST_COMPILED:
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return _zipper(len(names))(columns, *names)


@lru_cache(maxsize=_MOST_COMPILED)
def _zipper(count: int) -> Callable[..., list[dict[str, Any]]]:
    """Compile the function that makes objects of so many columns, given the columns and then their names.

    A dict display in a comprehension takes half the time of `dict(zip(names, row))`.
    """
    names, values = ([f"{letter}{number}" for number in range(count)] for letter in "nv")
    display = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    source = f"lambda columns, {', '.join(names)}: [{{{display}}} for {', '.join(values)}, in zip(*columns)]"
    compiled: Callable[..., list[dict[str, Any]]] = eval(source)  # noqa: S307 - only numbers vary
    return compiled
