"""Running a document: from what was asked to the bytes of its answer, or the bytes that it got before."""

import asyncio
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute

from gql_server.auth.caller import Caller, current
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.response_cache import (
    CachedResponse,
    CacheLookup,
    ComputedResponse,
    ResponseCache,
    response_key,
)
from gql_server.config.error_detail import ErrorDetail
from gql_server.config.settings import Settings
from gql_server.http.errors import execution_error_entries
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.observability.tracing import level_span
from gql_server.operations.json_encoder import JsonEncoder
from gql_server.operations.unavailable import stopping, too_many_operations
from gql_server.runtime.limiter import Limiter, LimiterFull
from gql_server.runtime.shutdown import Shutdown
from schema.build import ROOT
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation, ServerInfo
from schema.ports.errors import LimitExceeded
from schema.ports.tracking_writes import TrackingWrites


@dataclass(frozen=True, slots=True)
class OperationExecutor:
    """Runs the operations of one application."""

    schema: GraphQLSchema
    settings: Settings
    facts: ServerInfo
    store: CachedStore
    answers: ResponseCache
    limiter: Limiter
    stopping: Shutdown
    writing: TrackingWrites | None = None

    async def look(self, asked: GraphQLRequest, use: CacheControl, caller: Caller) -> CacheLookup:
        """Look for the answer that the same question got; the document need not have been read for it."""
        key = response_key(
            asked.query,
            asked.operation_name,
            asked.variables,
            principal=caller.principal,
            root_path=asked.base,
        )
        # Servers that share a Redis may differ in this, and `Query.server` shows it.
        key = key if self.facts.read_only else f"{key}:writable"
        return await self.answers.lookup(key, use)

    async def run(
        self, look: CacheLookup, parsed: DocumentNode, asked: GraphQLRequest, caller: Caller
    ) -> CachedResponse:
        """Run a query, once for all who ask it meanwhile and are given the same."""
        seconds = self.settings.operation_timeout
        return await self.answers.get_or_compute(
            look, lambda: self._make(look.cache_control, parsed, asked, caller, seconds=seconds)
        )

    async def change(self, parsed: DocumentNode, asked: GraphQLRequest, caller: Caller) -> CachedResponse:
        """Run a mutation: for this request alone, past all that is kept."""
        # It is not broken off: each call of it has a time limit of its own.
        made = await self._make(CacheControl.NO_STORE, parsed, asked, caller, seconds=None)
        return CachedResponse(made.body, None, made.codes)

    async def _make(
        self,
        use: CacheControl,
        parsed: DocumentNode,
        asked: GraphQLRequest,
        caller: Caller,
        *,
        seconds: float | None,
    ) -> ComputedResponse:
        try:
            self.limiter.acquire()
        except LimiterFull:
            raise too_many_operations(self.limiter.limit) from None
        try:
            return await self._make_inside(use, parsed, asked, caller, seconds)
        finally:
            self.limiter.release()

    async def _make_inside(
        self,
        use: CacheControl,
        parsed: DocumentNode,
        asked: GraphQLRequest,
        caller: Caller,
        seconds: float | None,
    ) -> ComputedResponse:
        # What is awaited here runs in this task, and in tasks and threads that take over its context.
        current.set(caller)
        view = self.store.for_operation(caller.principal, use)
        encoder = JsonEncoder()
        operation = Operation(
            tracking=view,
            server_info=self.facts,
            limits=self.settings.limits.queries,
            writes=self.writing,
            encoder=encoder,
            trace_level=level_span,
            base_path=asked.base,
        )
        try:
            async with asyncio.timeout(seconds) as limit:
                with self.stopping.track(limit):
                    result = await self._execute(operation, parsed, asked)
        except TimeoutError:
            if self.stopping.operations_cancelled:
                raise stopping(change=seconds is None) from None
            text = f"The operation took longer than {seconds:g} seconds (GQL_OPERATION_TIMEOUT)."
            result = ExecutionResult(None, [GraphQLError(text, original_error=LimitExceeded(text))])
        finally:
            # Whatever is still read is cancelled: its thread is free, and the database stops.
            operation.close()
        answer = _format(result, self.settings.max_errors, self.settings.error_detail)
        codes = tuple({error["extensions"]["code"] for error in answer.get("errors", ())})
        return ComputedResponse(encoder.whole(answer), 0.0 if codes else view.min_ttl, codes)

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


def _format(result: ExecutionResult, most_errors: int, hints: ErrorDetail) -> dict[str, Any]:
    if not result.errors:
        return {"data": result.data}
    errors = execution_error_entries(result.errors, most_errors, hints)
    # Without data and without a path nothing ran: variables that do not fit, say. That has no `data` key.
    if result.data is None and all(error.path is None for error in result.errors):
        return {"errors": errors}
    return {"data": result.data, "errors": errors}
