"""Running a document: from what was asked to the bytes of its answer, or the bytes that it got before."""

from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute

from gql_server.cache.answers import Answer, Answers, Look, Made, answer_key
from gql_server.cache.freshness import Freshness
from gql_server.http.encoder import JsonEncoder
from gql_server.http.errors import masked
from gql_server.http.request import GraphQLRequest
from gql_server.settings import Settings
from gql_server.tracking.cached import Cached
from schema.build import ROOT
from schema.execution import LevelExecution
from schema.operation import Facts, Operation


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the operations of one application."""

    schema: GraphQLSchema
    settings: Settings
    facts: Facts
    store: Cached
    answers: Answers

    async def look(self, asked: GraphQLRequest, use: Freshness) -> Look:
        """Look for the answer that the same question got; the document need not have been read for it."""
        key = answer_key(asked.query, asked.operation_name, asked.variables, principal=None)
        return await self.answers.look(key, use)

    async def run(self, look: Look, parsed: DocumentNode, asked: GraphQLRequest) -> Answer:
        """Run a query, once for all who ask it meanwhile."""
        return await self.answers.make(look, lambda: self._make(look.use, parsed, asked))

    async def _make(self, use: Freshness, parsed: DocumentNode, asked: GraphQLRequest) -> Made:
        view = self.store.for_operation(use=use)
        encoder = JsonEncoder()
        operation = Operation(
            tracking=view,
            facts=self.facts,
            max_page_size=self.settings.max_page_size,
            encoder=encoder,
        )
        try:
            result = await self._execute(operation, parsed, asked)
        finally:
            operation.close()
        body = encoder.whole(_format(result, self.settings.max_errors))
        return Made(body, 0.0 if result.errors else view.shortest)

    async def _execute(
        self, operation: Operation, parsed: DocumentNode, asked: GraphQLRequest
    ) -> ExecutionResult:
        result = execute(
            self.schema,
            parsed,
            root_value=ROOT,
            context_value=operation,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            execution_context_class=LevelExecution,
        )
        return result if isinstance(result, ExecutionResult) else await result


def ran(body: bytes | memoryview) -> bool:
    """Say whether an answer is of an operation that ran: then it has `data`, and has it first."""
    return bytes(body[:7]) == b'{"data"'


def _format(result: ExecutionResult, most_errors: int) -> dict[str, Any]:
    if not result.errors:
        return {"data": result.data}
    errors = masked(result.errors, most_errors)
    # Without data and without a path nothing ran: variables that do not fit, say. That has no `data` key.
    if result.data is None and all(error.path is None for error in result.errors):
        return {"errors": errors}
    return {"data": result.data, "errors": errors}
