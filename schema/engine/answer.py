"""The answer to one operation while it is made: its encoder, its size, and its turns on the event loop."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from schema.engine.turns import Turns
from schema.ports.errors import LimitExceeded
from schema.ports.table import Span

_OBJECT_BYTES: Final = 60
_FIELD_BYTES: Final = 24
"""Bytes of memory of an object and of each of its fields, the values excepted; in JSON they take as many."""

_LARGE: Final = 1_000_000
"""Bytes of objects that orjson encodes in some milliseconds. What is more is encoded level by level."""

_ITEM_BYTES: Final = 8
"""Bytes of a leaf in a list: a reference in memory, and a short number in JSON."""


class Budget(Protocol):
    """What an operation has taken of the process beside its answer."""

    @property
    def error(self) -> LimitExceeded | None:
        """Return the error of an operation that has taken too much, or None."""
        ...


class ListEncoder(Protocol):
    """An encoder of a result whose lists may be encoded beforehand."""

    def encode(self, items: Sequence[Any]) -> Span:
        """Encode a list of objects or of leaves, and return its place in what was encoded."""
        ...

    def encode_part(self, item: Any) -> tuple[Any, int]:
        """Encode a part of the result; return what is placed there instead, and the number of bytes."""
        ...

    def placeholder(self, parts: Sequence[Span], *, nested: bool = False) -> Any:
        """Return a placeholder in the result for one list: the items of the encoded lists at `parts`.

        `nested` states that there may be placeholders in them.
        """
        ...


@dataclass(slots=True, eq=False)
class Answer:
    """The state of an answer; `max_bytes` limits the sum of its objects and its encoded lists."""

    encoder: ListEncoder | None = None
    """Encodes long lists to JSON while they are completed; without it, the result has plain objects only."""
    turns: Turns = field(default_factory=Turns)
    """Shared by all operations of an event loop, whose long computations take turns."""
    max_bytes: int = sys.maxsize
    budget: Budget | None = None
    """Further limits of the operation, if it has any."""
    is_long: bool = False
    """Whether a large level was completed, so that the response takes some time to encode, too."""
    _is_too_large: bool = False
    _size: int = 0

    def add_bytes(self, size: int) -> None:
        """Count bytes of the answer; raise `LimitExceeded` for more than `max_bytes` in total."""
        self._size += size
        self._check(self._size)

    def add_objects(self, count: int, columns: Sequence[Sequence[Any]]) -> None:
        """Count objects that are about to be made from columns, and the texts that they repeat."""
        self.add_bytes(count * (_OBJECT_BYTES + _FIELD_BYTES * len(columns)) + _repeated_bytes(columns))

    def expect_repeated(self, columns: Sequence[Sequence[Any]]) -> None:
        """Raise `LimitExceeded` if the texts that columns repeat will not fit; encoding counts them."""
        self._check(self._size + _repeated_bytes(columns))

    def add_items(self, items: Sequence[Any]) -> None:
        """Count the leaves of lists."""
        self.add_bytes(_ITEM_BYTES * len(items) + _text_bytes(items))

    @property
    def is_large(self) -> bool:
        """Return whether so much was counted that encoding it at once would take long."""
        return self._size > _LARGE

    @property
    def error(self) -> LimitExceeded | None:
        """Return the error of an answer that is too large or takes too much time, or None."""
        if self._is_too_large:
            message = (
                f"The answer has more than {self.max_bytes:,} bytes (GQL_MAX_ANSWER_BYTES): select fewer "
                "fields, smaller pages, or samples of histories."
            )
            return LimitExceeded(message)
        return None if self.budget is None else self.budget.error

    def _check(self, size: int) -> None:
        self._is_too_large = self._is_too_large or size > self.max_bytes
        self._raise_error()

    def _raise_error(self) -> None:
        error = self.error
        if error is not None:
            raise error

    async def take_turn(self) -> None:
        """Wait until this answer may use the event loop for some milliseconds."""
        self.is_long = True
        await self.turns.take()
        self._raise_error()


def _repeated_bytes(columns: Sequence[Sequence[Any]]) -> int:
    """Return the length of the texts of columns that are selected again under another alias."""
    times = Counter(map(id, columns))
    if len(times) == len(columns):
        return 0
    distinct = {id(column): column for column in columns}
    return sum((count - 1) * _text_bytes(distinct[key]) for key, count in times.items() if count > 1)


def _text_bytes(values: Sequence[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, str))
