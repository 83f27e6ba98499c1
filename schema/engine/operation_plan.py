"""The plan of a whole query, kept beside its parsed document, and its execution without graphql-core.

A plan covers queries without introspection. `@skip` and `@include` by variables select one of several plans.
Whatever a plan does not complete (any error, a null in a non-null position, a value that a type rejects) is
executed again by graphql-core with the results of the resolvers, so that errors are exactly graphql-core's.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import collect_fields

from schema.engine.batched_field import READS
from schema.engine.leaf_columns import NotBatchable
from schema.engine.level_completer import LevelCompleter
from schema.engine.operation import Operation
from schema.engine.plan import PlannedLevel, Planner
from schema.engine.selection import Selections
from schema.engine.variables import OperationVariables
from schema.ports.table import Row, table_of

MAX_VARIANTS: Final = 8
"""The plans of one operation: enough for three variables in its directives. Other values are not planned."""
FIELD_BYTES: Final = 2_000
"""Bytes of a planned field, with its selection, its arguments and its part of a level."""


class Plan:
    """The plan of a query for some values of the variables in its directives.

    `reads` is the number of calls that it makes to the store at most. `size` is the number of its fields.
    """

    __slots__ = ("_root", "_schema", "reads", "size")

    def __init__(self, schema: GraphQLSchema, planner: Planner, root: PlannedLevel) -> None:
        self._schema = schema
        self._root = root
        self.reads, self.size = _measure(planner, root)

    async def execute(self, root: Row, operation: Operation, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of the response. Raise any exception if graphql-core has to execute the query."""
        completer = LevelCompleter(operation, self._schema, variables)
        completed: Any = completer.complete_root(self._root, table_of(root))
        objects = await completed if hasattr(completed, "__await__") else completed
        data: dict[str, Any] = objects[0]
        return data


class PlannedQuery:
    """A plan, and the coerced variables to execute it with."""

    __slots__ = ("plan", "variables")

    def __init__(self, plan: Plan, variables: dict[str, Any]) -> None:
        self.plan = plan
        self.variables = variables


class OperationPlans:
    """The plans of one operation of a document, made when they are first needed."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = OperationVariables(schema, operation.variable_definitions)
        self._conditions = sorted(_variables_of_directives(document))
        self._plans: dict[tuple[Any, ...], Plan | None] = {}
        self.size = 0
        """The number of fields in all plans."""

    def planned(self, variables: Mapping[str, Any]) -> PlannedQuery | None:
        """Return the plan for these variables; None if graphql-core has to execute the operation."""
        coerced = self._variables.coerce(variables)
        if coerced is None:
            return None
        key = tuple([coerced.get(name) for name in self._conditions])
        if key not in self._plans:
            if len(self._plans) >= MAX_VARIANTS:
                return None
            plan = self._plan({name: coerced[name] for name in self._conditions if name in coerced})
            self._plans[key] = plan
            self.size += plan.size if plan is not None else 0
        plan = self._plans[key]
        return None if plan is None else PlannedQuery(plan, coerced)

    def _plan(self, conditions: dict[str, Any]) -> Plan | None:
        kind = self._operation.operation
        root_type = self._schema.get_root_type(kind)
        # The root fields of a mutation are executed one after the other.
        if kind is OperationType.MUTATION or root_type is None:
            return None
        planner = Planner(Selections(self._schema, self._fragments, conditions))
        try:
            return Plan(self._schema, planner, self._root(planner, root_type))
        except (GraphQLError, NotBatchable):
            return None

    def _root(self, planner: Planner, root_type: GraphQLObjectType) -> PlannedLevel:
        selections = planner.selections
        groups = collect_fields(
            self._schema, self._fragments, selections.variables, root_type, self._operation.selection_set
        )
        fields = {name: selections.field(root_type, nodes) for name, nodes in groups.items()}
        return planner.level_of_fields(root_type, (root_type.name,), fields)


def _measure(planner: Planner, root: PlannedLevel) -> tuple[int, int]:
    """Plan all levels, and return the calls to the store and the number of fields.

    A level that several selections share is counted once for its size, and for each of them for its calls.
    """
    reads, seen, pending = 0, {root.key: len(root.fields)}, [root]
    while pending:
        level = pending.pop()
        reads += sum(_reads(field) for field in level.fields)
        for _, below in planner.levels_below(level):
            seen[below.key] = len(below.fields)
            pending.append(below)
    return reads, sum(seen.values())


def _reads(field: Any) -> int:
    reads = field.selected.metadata.get(READS, 0)
    count: int = reads(field.selected) if callable(reads) else reads
    return count


def _variables_of_directives(document: DocumentNode) -> set[str]:
    names: set[str] = set()

    class _Directives(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            values = (argument.value for argument in node.arguments)
            names.update(value.name.value for value in values if isinstance(value, VariableNode))

    visit(document, _Directives())
    return names
