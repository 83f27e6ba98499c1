"""The plan of a selection: what is done for each field of each level, worked out once for a document.

A level is the selection on one object type. Each of its fields takes a column of the level's table, or calls
its resolver with the table, and completes the column. A level below a field is planned when it is first used.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import FieldNode, GraphQLObjectType, get_nullable_type, is_leaf_type, is_non_null_type

from schema.engine.batched_field import RESOLVE
from schema.engine.chunked_json import LeafColumn
from schema.engine.completion import Completion, completion_of
from schema.engine.field_arguments import FieldArguments
from schema.engine.leaf_columns import NotBatchable
from schema.engine.selection import TYPENAME, FieldKey, SelectedField, Selections


class PlannedField:
    """A field of a level: its name in the result, how its column is obtained, and how it is completed.

    The column is that of `column`, or the result of `resolve` with `arguments`. A field without either is
    `__typename`.
    """

    __slots__ = ("arguments", "column", "completion", "key", "name", "resolve", "selected")

    def __init__(self, name: str, selected: SelectedField, completion: Completion | None) -> None:
        definition = selected.strawberry
        if completion is not None and definition is None:
            raise NotBatchable
        self.name = name
        self.selected = selected
        self.key = selected.key
        self.arguments: FieldArguments = selected.arguments
        self.resolve: Callable[..., Any] | None = None
        self.column: str | None = None
        if completion is not None:
            self.completion = completion
            self.resolve = definition.metadata.get(RESOLVE)
            if definition.base_resolver is None:
                self.column = definition.python_name
            elif self.resolve is None:
                raise NotBatchable


class PlannedLevel:
    """The selection on one object type. `leaves` is None unless all fields are leaves without a resolver."""

    __slots__ = ("depth", "fields", "key", "leaves", "names", "type_name")

    def __init__(self, type_name: str, key: FieldKey, fields: tuple[PlannedField, ...], depth: int) -> None:
        self.type_name = type_name
        self.key = ("completed", *key)
        self.fields = fields
        self.names = tuple(each.name for each in fields)
        self.depth = depth
        self.leaves = _leaf_columns(fields)


@dataclass(slots=True, eq=False)
class Planner:
    """Plans the levels of a document, each of them once."""

    selections: Selections
    _levels: dict[FieldKey, PlannedLevel] = field(default_factory=dict)

    def level(self, type_: GraphQLObjectType, nodes: list[FieldNode], depth: int = 0) -> PlannedLevel:
        """Return the level of the selections of these nodes on an object type.

        Raise `NotBatchable` or `GraphQLError` if graphql-core has to execute it.
        """
        key = (type_.name, *map(id, nodes))
        level = self._levels.get(key)
        if level is None:
            selected = self.selections.below(type_, nodes)
            level = self._levels[key] = self.level_of_fields(type_, key, selected, depth)
        return level

    def level_of_fields(
        self, type_: GraphQLObjectType, key: FieldKey, selected: dict[str, SelectedField], depth: int = 0
    ) -> PlannedLevel:
        """Return the level with these fields."""
        fields = tuple(self._field(name, each, depth) for name, each in selected.items())
        return PlannedLevel(type_.name, key, fields, depth)

    def levels_below(self, level: PlannedLevel) -> Iterator[tuple[PlannedField, PlannedLevel]]:
        """Yield the levels below the fields of a level, one for each object type that a field can have."""
        for planned in level.fields:
            definition = planned.selected.definition
            if definition is not None and not is_leaf_type(planned.selected.type):
                for type_ in self._object_types(planned.selected.type):
                    yield planned, self.level(type_, planned.selected.nodes, level.depth + 1)

    def _object_types(self, type_: Any) -> list[GraphQLObjectType]:
        schema = self.selections.schema
        return [type_] if isinstance(type_, GraphQLObjectType) else schema.get_possible_types(type_)

    def _field(self, name: str, selected: SelectedField, depth: int) -> PlannedField:
        if selected.definition is None:
            if selected.name != TYPENAME:
                raise NotBatchable
            return PlannedField(name, selected, None)

        levels: dict[str, PlannedLevel] = {}

        def level_of(type_: GraphQLObjectType) -> PlannedLevel:
            level = levels.get(type_.name)
            if level is None:
                level = levels[type_.name] = self.level(type_, selected.nodes, depth + 1)
            return level

        return PlannedField(name, selected, completion_of(selected.definition.type, level_of))


def _leaf_columns(fields: tuple[PlannedField, ...]) -> list[LeafColumn] | None:
    leaves = []
    for each in fields:
        definition = each.selected.definition
        type_: Any = get_nullable_type(cast("Any", definition.type)) if definition else None
        if definition is None or each.column is None or not is_leaf_type(type_):
            return None
        leaves.append(LeafColumn(each.name, each.column, type_, required=is_non_null_type(definition.type)))
    return leaves
