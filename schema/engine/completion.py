"""How the column of a field is completed: to leaves, to objects, or to lists of them.

A completion depends on the field's type only, and therefore belongs to its plan. It raises `NotBatchable` for
a column that it does not support, and for a null in a non-null position. Its result is awaitable if a field
below has to be awaited.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from graphql import (
    GraphQLLeafType,
    GraphQLObjectType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from schema.engine.answer import Answer
from schema.engine.chunked_json import encode_leaf_lists, encode_lists, encode_slices, is_long
from schema.engine.leaf_columns import NotBatchable, complete_leaves, leaf_completer
from schema.ports.table import Column, Lists, Many, One, Row, Rows, Span, Table, index_of, table_of

if TYPE_CHECKING:
    from schema.engine.level_completer import LevelCompleter
    from schema.engine.plan import PlannedLevel

Completed: TypeAlias = Sequence[Any] | Awaitable[Sequence[Any]]
"""The completed values of a column, one for each row, or an awaitable of them."""

LevelOf: TypeAlias = Callable[[GraphQLObjectType], "PlannedLevel"]
"""Returns the level below a field on an object type."""

_A = TypeVar("_A")


class Completion(Protocol):
    """Completes the column of one field."""

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        """Return the value of each row."""
        ...


def completion_of(type_: Any, level_of: LevelOf) -> Completion:
    """Return the completion of a field of this type."""
    required, nullable = is_non_null_type(type_), get_nullable_type(type_)
    if is_list_type(nullable):
        return _list_completion(nullable.of_type, level_of, required=required)
    if is_leaf_type(nullable):
        return _Leaves(nullable, required=required)
    if is_object_type(nullable):
        return _Objects(level_of, nullable, required=required)
    return _Nodes(level_of, required=required)


def _list_completion(item_type: Any, level_of: LevelOf, *, required: bool) -> Completion:
    items_required, item = is_non_null_type(item_type), get_nullable_type(item_type)
    if is_leaf_type(item):
        return _LeafLists(item, required=required, items_required=items_required)
    if is_object_type(item):
        return _ObjectLists(level_of, item, required=required)
    if is_list_type(item):
        raise NotBatchable
    return _NodeLists(level_of, items_required=items_required)


class _Leaves:
    __slots__ = ("_complete",)

    def __init__(self, type_: GraphQLLeafType, *, required: bool) -> None:
        self._complete = leaf_completer(type_, required=required)

    def complete(self, _completer: "LevelCompleter", column: Any) -> Completed:
        # A column of another form has no values to iterate over, which fails.
        return self._complete(column)


class _LeafLists:
    __slots__ = ("_items_required", "_required", "_type")

    def __init__(self, type_: GraphQLLeafType, *, required: bool, items_required: bool) -> None:
        self._type = type_
        self._required = required
        self._items_required = items_required

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        if isinstance(column, Lists):
            answer = completer.operation.answer
            if answer.encoder is not None and is_long(len(column.items), column.spans):
                return encode_leaf_lists(answer, self._type, column, required=self._items_required)
            items = complete_leaves(self._type, column.items, required=self._items_required)
            answer.add_items(items)
            return [items[start:stop] for start, stop in column.spans]
        _refuse_none(column, required=self._required)
        return [
            None if items is None else complete_leaves(self._type, items, required=self._items_required)
            for items in _sequence(column)
        ]


class _OfObjects:
    """The objects of one type, whose level is planned when it is first used."""

    __slots__ = ("_level_of", "_required", "_type")

    def __init__(self, level_of: LevelOf, type_: GraphQLObjectType, *, required: bool) -> None:
        self._level_of = level_of
        self._type = type_
        self._required = required


class _Objects(_OfObjects):
    """Objects of one type, from a `One`."""

    __slots__ = ()

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        if not isinstance(column, One) or (self._required and None in column.index):
            raise NotBatchable
        objects = completer.complete(self._level_of(self._type), column.rows)
        return _then(objects, _placed, column.index)


class _ObjectLists(_OfObjects):
    """Lists of objects of one type, from a `Many` or a column of `Rows` of one table."""

    __slots__ = ()

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        if isinstance(column, Many):
            return self._complete_many(completer, column)
        _refuse_none(column, required=self._required)
        spans = [None if rows is None else rows.span for rows in _sequence(column)]
        table = _common_table([rows for rows in _sequence(column) if rows is not None])
        return _then(completer.complete(self._level_of(self._type), table), _nullable_slices, spans)

    def _complete_many(self, completer: "LevelCompleter", many: Many) -> Completed:
        level = self._level_of(self._type)
        answer = completer.operation.answer
        if answer.encoder is not None and is_long(many.rows.size, many.spans):
            leaves = level.leaves
            if leaves is not None:
                return encode_lists(answer, leaves, many)
        objects = completer.complete(level, many.rows)
        if answer.encoder is not None and hasattr(objects, "__await__"):
            return _later_slices(answer, objects, many.spans)
        return _then(objects, _slices, many.spans)


class _Nodes:
    """Objects of an interface, from a column of `Row`, whose tables name their types."""

    __slots__ = ("_level_of", "_required")

    def __init__(self, level_of: LevelOf, *, required: bool) -> None:
        self._level_of = level_of
        self._required = required

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        _refuse_none(column, required=self._required)
        return _complete_nodes(completer, self._level_of, _sequence(column))


class _NodeLists:
    """Lists of objects of an interface, from a column of lists of `Row`."""

    __slots__ = ("_items_required", "_level_of")

    def __init__(self, level_of: LevelOf, *, items_required: bool) -> None:
        self._level_of = level_of
        self._items_required = items_required

    def complete(self, completer: "LevelCompleter", column: Column) -> Completed:
        lists = _sequence(column)
        # A null list has no field that returns one.
        rows = [row for items in lists for row in items]
        _refuse_none(rows, required=self._items_required)
        spans, start = [], 0
        for items in lists:
            spans.append((start, start + len(items)))
            start += len(items)
        return _then(_complete_nodes(completer, self._level_of, rows), _slices, spans)


def _complete_nodes(completer: "LevelCompleter", level_of: LevelOf, rows: Sequence[Row | None]) -> Completed:
    tables = {id(table_of(row)): table_of(row) for row in rows if row is not None}
    objects = {
        key: completer.complete(level_of(completer.type_of(table)), table) for key, table in tables.items()
    }
    waiting = {key: each for key, each in objects.items() if hasattr(each, "__await__")}
    if not waiting:
        return _objects_of(objects, rows)
    return _wait_for_nodes(completer, objects, waiting, rows)


async def _wait_for_nodes(
    completer: "LevelCompleter", objects: dict[int, Any], waiting: dict[int, Any], rows: Sequence[Row | None]
) -> Sequence[Any]:
    results = await completer.operation.gather(list(waiting.values()))
    return _objects_of(objects | dict(zip(waiting, results, strict=True)), rows)


def _objects_of(objects: dict[int, Any], rows: Sequence[Row | None]) -> list[Any]:
    return [None if row is None else objects[id(table_of(row))][index_of(row)] for row in rows]


def _sequence(column: Column) -> Sequence[Any]:
    if not isinstance(column, Sequence):
        raise NotBatchable
    return column


def _refuse_none(column: Column, *, required: bool) -> None:
    if required and None in _sequence(column):
        raise NotBatchable


def _common_table(lists: Sequence[Any]) -> Table:
    table = lists[0].table if lists and isinstance(lists[0], Rows) else Table(0, {})
    if not all(isinstance(rows, Rows) and rows.table is table for rows in lists):
        raise NotBatchable
    return table


def _then(objects: Completed, place: Callable[[Sequence[Any], _A], list[Any]], places: _A) -> Completed:
    return place(objects, places) if isinstance(objects, list) else _later(objects, place, places)


async def _later(objects: Any, place: Callable[[Sequence[Any], _A], list[Any]], places: _A) -> list[Any]:
    return place(await objects, places)


async def _later_slices(answer: Answer, objects: Awaitable[Any], spans: Sequence[Span]) -> list[Any]:
    """Return the list of each parent; of a large answer, long lists are encoded.

    Otherwise all objects would be encoded at once in the end.
    """
    rows = await objects
    if not answer.is_large:
        return _slices(rows, spans)
    return await encode_slices(answer, rows, spans)


def _placed(objects: Sequence[Any], index: Sequence[int | None]) -> list[Any]:
    return [None if row is None else objects[row] for row in index]


def _slices(objects: Sequence[Any], spans: Sequence[tuple[int, int]]) -> list[Any]:
    return [objects[start:stop] for start, stop in spans]


def _nullable_slices(objects: Sequence[Any], spans: Sequence[tuple[int, int] | None]) -> list[Any]:
    return [None if span is None else objects[slice(*span)] for span in spans]
