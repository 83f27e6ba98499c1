"""One operation of a document, with the results of its checks that later requests need again."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, OperationType

from gql_server.operations.argument_metrics import ArgumentMetrics
from gql_server.operations.cost import OperationCost
from schema.engine.operation_plan import OperationPlans, PlannedQuery


class DocumentOperation:
    """An operation of a document; `cost` and `values` are for valid documents only."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, definition: OperationDefinitionNode
    ) -> None:
        self.definition = definition
        self.kind: str = definition.operation.value
        """`query`, `mutation` or `subscription`."""
        self.is_query = definition.operation is OperationType.QUERY
        self.is_mutation = definition.operation is OperationType.MUTATION
        self.name = definition.name.value if definition.name else ""
        """The name in the document; an empty string if it has none."""
        self._schema = schema
        self._document = document
        self._plans: OperationPlans | None = None

    @property
    def planned_fields(self) -> int:
        """Return the number of fields in the plans that were made so far."""
        return self._plans.size if self._plans else 0

    def planned(self, variables: Mapping[str, Any]) -> PlannedQuery | None:
        """Return the plan for these variables; None if graphql-core has to execute the operation."""
        if self._plans is None:
            self._plans = OperationPlans(self._schema, self._document, self.definition)
        return self._plans.planned(variables)

    def cost(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables."""
        return self._cost.of(variables)

    def values(self, variables: Mapping[str, Any]) -> int:
        """Return the number of values in the arguments with these variables."""
        return self._argument_metrics.count(variables)

    @cached_property
    def _cost(self) -> OperationCost:
        return OperationCost(self._schema, self._document, self.definition)

    @cached_property
    def _argument_metrics(self) -> ArgumentMetrics:
        return ArgumentMetrics(self._document, self.definition)
