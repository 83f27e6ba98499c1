"""Statements that are built and compiled once, and executed with other values."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from cachetools import LRUCache
from sqlalchemy import Dialect as SqlAlchemyDialect
from sqlalchemy.sql import Executable

_T = TypeVar("_T")

_MAX_KEPT: Final = 500
"""Statements of one database, at some 20 kB each: more than the documents of an application need."""


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A statement with named values, and its text for one driver.

    `text` is None if the text depends on the values, as with a list of which each value is a parameter.
    """

    statement: Executable
    text: str | None
    _constants: Mapping[str, Any]
    _positions: Sequence[str] | None

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """Return the driver's arguments: a sequence if its parameters have positions, else a mapping."""
        merged = {**self._constants, **values} if self._constants else values
        return merged if self._positions is None else [merged[name] for name in self._positions]


class PreparedStatements:
    """What was prepared for one database and driver, by key; the least recently used is dropped."""

    def __init__(self, dialect: SqlAlchemyDialect, *, has_fixed_text: bool) -> None:
        self._dialect = dialect
        self._has_fixed_text = has_fixed_text
        self._kept: LRUCache[Hashable, Any] = LRUCache(_MAX_KEPT)
        self._lock = Lock()

    def keep(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what `make` returned for this key at first."""
        with self._lock:
            kept: _T | None = self._kept.get(key)
        if kept is None:
            kept = make()
            with self._lock:
                self._kept[key] = kept
        return kept

    def prepare(self, statement: Any) -> PreparedStatement:
        """Compile a statement."""
        if not self._has_fixed_text:
            return PreparedStatement(statement, None, {}, None)
        compiled = statement.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
        # SQLAlchemy makes the names of constants unique.
        named = {name for name, parameter in compiled.binds.items() if not parameter.unique}
        constants = {name: value for name, value in compiled.params.items() if name not in named}
        return PreparedStatement(statement, str(compiled), constants, compiled.positiontup)
