"""Building the objects of rows from columns."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from schema.engine.leaf_columns import NotBatchable

_MAX_COMPILED = 64
"""The longest selection for which a function is compiled, and therefore the maximum number of functions."""


def build_objects(
    names: tuple[str, ...], columns: Sequence[Sequence[Any]], size: int
) -> list[dict[str, Any]]:
    """Return one object per row, with these names as keys. Raise `NotBatchable` if sizes differ."""
    if columns and set(map(len, columns)) != {size}:
        # The store returned a broken column. Row-by-row execution reports which rows are affected.
        raise NotBatchable
    if not names:
        return [{} for _ in range(size)]
    if len(names) > _MAX_COMPILED:
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return _compiled_builder(len(names))(columns, *names)


@lru_cache(maxsize=_MAX_COMPILED)
def _compiled_builder(count: int) -> Callable[..., list[dict[str, Any]]]:
    """Compile a function that builds objects from `count` columns; its arguments are the columns and names.

    A dict display in a comprehension takes half the time of `dict(zip(names, row))`.
    """
    names, values = ([f"{letter}{number}" for number in range(count)] for letter in "nv")
    display = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    source = f"lambda columns, {', '.join(names)}: [{{{display}}} for {', '.join(values)}, in zip(*columns)]"
    compiled: Callable[..., list[dict[str, Any]]] = eval(source)  # noqa: S307 - only numbers vary
    return compiled
