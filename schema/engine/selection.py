"""The fields that a document selects, each with the fields below it, after fragments and directives.

`Selections` collects them as graphql-core does. Each field is collected once, so that what is derived from it
is kept for the next request with the same document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)
from graphql.execution.collect_fields import collect_sub_fields

from schema.engine.field_arguments import DEFINITION, NO_ARGUMENTS, FieldArguments, field_arguments
from schema.engine.required_columns import REQUIRES, RequiredColumns, Requirement, required_columns
from schema.ports.columns import Columns

FieldKey: TypeAlias = tuple[Any, ...]
"""The key of a field in an operation: its parent type and its nodes in the document."""

TYPENAME = "__typename"


def field_key(parent_type: GraphQLObjectType, nodes: Sequence[FieldNode]) -> FieldKey:
    """Return the key of a field's result in an `Operation`."""
    return (parent_type.name, *map(id, nodes))


@dataclass(slots=True, eq=False)
class Selections:
    """The selections of a document, for the values of variables that its directives depend on."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    _fields: dict[FieldKey, "SelectedField"] = field(default_factory=dict)

    def field(self, parent_type: GraphQLObjectType, nodes: list[FieldNode]) -> "SelectedField":
        """Return the field that these nodes of one response name select on an object type."""
        key = field_key(parent_type, nodes)
        selected = self._fields.get(key)
        if selected is None:
            selected = self._fields[key] = SelectedField(self, parent_type, nodes, key)
        return selected

    def below(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> dict[str, "SelectedField"]:
        """Return the fields that nodes select on an object type, by response name."""
        groups = collect_sub_fields(self.schema, self.fragments, self.variables, type_, nodes)
        return {name: self.field(type_, group) for name, group in groups.items()}


class SelectedField:
    """One field of a document, as selected on one object type. It has `definition` unless it is `__typename`.

    `arguments` raises `GraphQLError` if a literal is invalid.
    """

    __slots__ = (
        *("_arguments", "_below", "_required", "_selections", "_selects"),
        *("definition", "key", "name", "nodes", "parent_type"),
    )

    def __init__(
        self, selections: Selections, parent_type: GraphQLObjectType, nodes: list[FieldNode], key: FieldKey
    ) -> None:
        self.name = nodes[0].name.value
        self.parent_type = parent_type
        self.nodes = nodes
        self.key = key
        self.definition: GraphQLField | None = parent_type.fields.get(self.name)
        self._selections = selections
        self._arguments: FieldArguments | None = None
        self._below: dict[str, dict[str, SelectedField]] = {}
        self._required: dict[Any, RequiredColumns | Columns] = {}
        self._selects: dict[Any, bool] = {}

    @property
    def type(self) -> Any:
        """Return the type of the field without lists and non-null."""
        return get_named_type(self.definition.type) if self.definition else None

    @property
    def strawberry(self) -> Any:
        """Return Strawberry's definition of the field; None if Strawberry did not make the schema."""
        return self.definition.extensions.get(DEFINITION) if self.definition else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the metadata of the field's definition."""
        metadata: Mapping[str, Any] = self.strawberry.metadata if self.definition else {}
        return metadata

    def has_argument(self, name: str) -> bool:
        """Return whether the document has an argument of this name at the field."""
        return any(argument.name.value == name for argument in self.nodes[0].arguments)

    @property
    def arguments(self) -> FieldArguments:
        """Return the arguments of the field."""
        if self.definition is None:
            return NO_ARGUMENTS
        if self._arguments is None:
            self._arguments = field_arguments(
                self._selections.schema, self.definition, self.nodes[0], self.strawberry.arguments
            )
        return self._arguments

    @property
    def requirements(self) -> Sequence[Requirement]:
        """Return the columns of the parent's table that the field is made of."""
        requirements: Sequence[Requirement] = self.metadata.get(REQUIRES, (self.strawberry.python_name,))
        return requirements

    def below(self, type_: GraphQLObjectType) -> dict[str, "SelectedField"]:
        """Return the fields that are selected below this field on an object type, by response name."""
        fields = self._below.get(type_.name)
        if fields is None:
            fields = self._below[type_.name] = self._selections.below(type_, self.nodes)
        return fields

    def columns(self, paths: tuple[Sequence[str], ...], on: str | None, variables: dict[str, Any]) -> Columns:
        """Return the columns that the selections at the end of these paths of field names require."""
        required = self._required.get((paths, on))
        if required is None:
            required = required_columns(
                (each.requirements, each.arguments)
                for path in paths
                for each in self._at(path, on)
                if each.definition is not None
            )
            if required.is_constant:
                required = required.columns({})
            self._required[paths, on] = required
        return required if isinstance(required, Columns) else required.columns(variables)

    def selects(self, path: tuple[str, ...]) -> bool:
        """Return whether the field at the end of a path of field names is selected."""
        selected = self._selects.get(path)
        if selected is None:
            selected = any(each.name == path[-1] for each in self._at(path[:-1], None))
            self._selects[path] = selected
        return selected

    def _at(self, path: Sequence[str], on: str | None) -> list["SelectedField"]:
        """Return the fields at the end of a path, which starts at the field's type or at the type `on`."""
        type_: Any = self._selections.schema.type_map[on] if on else self.type
        fields = list(self.below(type_).values())
        for step in path:
            fields = [
                below for each in fields if each.name == step for below in each.below(each.type).values()
            ]
        return fields
