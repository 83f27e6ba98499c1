"""The SQL and the driver's behaviour that differ between databases."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from string import ascii_lowercase, ascii_uppercase
from typing import Any, ClassVar, Final, TypeVar

from sqlalchemy import ColumnElement, Engine, bindparam

_T = TypeVar("_T")

_LOWERCASE: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


class Dialect(ABC):
    """One kind of database; it has no state, so that all sessions of an engine share one instance."""

    name: ClassVar[str]
    """SQLAlchemy's name of the dialect."""

    max_listed: ClassVar[int | None] = None
    """The number of values that one list may have, if each is a parameter; None is no limit.

    A statement has two lists at most.
    """

    like_escape: ClassVar[str | None] = None
    """The ESCAPE of LIKE; None leaves it out."""

    snapshot_statement: ClassVar[str | None] = None
    """Makes all further statements of a transaction see one state; None if they do so anyway."""

    streams_rows: ClassVar[bool] = True
    """Whether the driver can leave rows in the database until they are fetched."""

    aggregates_json: ClassVar[bool] = False
    """Whether the database aggregates the texts of a group to a JSON array."""

    builds_json: ClassVar[bool] = False
    """Whether the database aggregates several columns to one JSON text, with exact numbers."""

    reads_on_event_loop: ClassVar[bool] = False
    """Whether a short read takes less time than a worker thread needs to be woken.

    The driver then has a way to end a statement in time: `limit_time`.
    """

    setup_lasts: ClassVar[bool] = False
    """Whether `setup_statements` hold for a connection, not for one transaction."""

    has_list_parameter: ClassVar[bool] = False
    """Whether a list is one parameter, so that a statement's text does not depend on the number of values."""

    unnests_arrays: ClassVar[bool] = False
    """Whether the database takes arrays as parameters and returns rows aggregated to arrays."""

    def batches(self, values: Collection[_T]) -> Iterator[list[_T]]:
        """Split values into lists that one statement can take."""
        size = self.max_listed or len(values) or 1
        rest = iter(values)
        while batch := list(islice(rest, size)):
            yield batch

    def fits_in_one_list(self, values: Collection[Any]) -> bool:
        """Return whether one statement can take these values as a list."""
        return self.max_listed is None or len(values) <= self.max_listed

    @abstractmethod
    def one_of(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """Return the condition that a column equals one of these values, by the column's collation."""

    def one_of_named(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Return the condition that a column equals one of the values with this name in a prepared statement.

        `list_value` returns the form in which the values are given.
        """
        return column.in_(bindparam(name, expanding=True))

    def list_value(self, values: Collection[Any]) -> Any:
        """Return the values of `one_of_named` in the form that the driver takes."""
        return list(values)

    @abstractmethod
    def same_text(self, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
        """Return the condition that a column has exactly this text, also if its collation folds case."""

    @abstractmethod
    def one_of_texts(self, column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition that a column has exactly one of these texts, as `same_text` compares them."""

    def like(
        self, column: ColumnElement[Any], pattern: str, *, ignore_case: bool = False
    ) -> ColumnElement[bool]:
        """Return the condition that a text matches a pattern, in which % and _ cannot be escaped.

        `ignore_case` treats A to Z as a to z; other letters are compared with respect to case, as in SQLite.
        """
        value = self.case_sensitive(column)
        if ignore_case:
            value, pattern = self.lowercase(value), pattern.translate(_LOWERCASE)
        return value.like(self.like_pattern(pattern), escape=self.like_escape)

    def like_pattern(self, pattern: str) -> str:
        """Return a pattern in which every character except % and _ matches itself."""
        return pattern

    def case_sensitive(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text as an expression that LIKE compares with respect to case."""
        return text

    @abstractmethod
    def lowercase(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text with A to Z as a to z."""

    @abstractmethod
    def as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text as a number by the rules of `condition.parse_number`; null if it is none."""

    @abstractmethod
    def by_code_point(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text as an expression that is compared by code point, regardless of its collation."""

    @abstractmethod
    def nulls_last(self, value: ColumnElement[Any], *, descending: bool) -> list[ColumnElement[Any]]:
        """Return the ORDER BY expressions that sort nulls last, in a form that an index can serve."""

    def json_array(self, _text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the aggregate of a group's texts as one JSON array, if `aggregates_json`."""
        raise NotImplementedError

    def setup_statements(self, _timeout: float) -> Sequence[str]:
        """Return the statements to run on a connection before it reads; `timeout` is in seconds."""
        return ()

    def lock_wait_statement(self, _seconds: float) -> str | None:
        """Return the statement that limits waits for locks on a connection from now on, if there is one."""
        return None

    def limit_time(  # noqa: B027 - other databases take the processor time of their own processes
        self, _driver_connection: Any, _is_over: Callable[[], bool] | None, *, long: bool = False
    ) -> None:
        """Interrupt further statements of a connection as soon as `_is_over` returns True; None ends this.

        `long` statements look less often, because they run in a worker thread.
        """

    def make_read_only(self, _driver_connection: Any, _timeout: float) -> None:  # noqa: B027 - some drivers cannot
        """Make a new driver connection refuse writes, and limit its waits for locks to `_timeout` seconds."""

    def add_functions(self, _driver_connection: Any) -> None:  # noqa: B027 - most need none
        """Define, on a new driver connection, the SQL functions that conditions use."""

    def as_rows(self, fetched: Iterable[Any]) -> list[tuple[Any, ...]]:
        """Return rows that the driver fetched as a list of tuples."""
        return list(fetched)

    def interrupt(self, _engine: Engine, _driver_connection: Any) -> None:  # noqa: B027 - not all can
        """Interrupt the statement that runs on a connection, if the driver can."""
