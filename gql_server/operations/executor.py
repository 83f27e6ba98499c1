"""Executing an admitted operation and encoding its response."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.direct_tracking import DirectTracking
from gql_server.cache.response_cache import ComputedResponse
from gql_server.config.error_detail import ErrorDetail
from gql_server.config.limits import Limits
from gql_server.http.error_entries import execution_error_entries
from gql_server.observability.tracing import is_tracing, level_span
from gql_server.operations.admission import AdmittedOperation
from gql_server.operations.response_encoder import ResponseEncoder
from gql_server.operations.unavailable import stopping, too_many_operations
from gql_server.runtime.limiter import Limiter, LimiterFull
from gql_server.runtime.operation_budget import OperationBudget, current_budget
from gql_server.runtime.shutdown import Shutdown
from schema.build import ROOT
from schema.engine.answer import Answer
from schema.engine.execution import execute_operation
from schema.engine.operation import Operation, ServerInfo
from schema.engine.turns import Turns
from schema.ports.errors import LimitExceeded
from schema.ports.point_batch import PointBatchSource
from schema.ports.tracking_writes import TrackingWrites

_LONG_BODY_BYTES = 256 * 1024
"""A longer body is sent in a turn of its own, because encoding it and sending it take milliseconds each."""


@dataclass(frozen=True, slots=True)
class OperationExecutor:
    """Executes the operations of one application, up to `limiter` at the same time."""

    schema: GraphQLSchema
    limits: Limits
    error_detail: ErrorDetail
    server_info: ServerInfo
    store: CachedStore
    limiter: Limiter
    shutdown: Shutdown
    writes: TrackingWrites | None = None
    turns: Turns = field(default_factory=Turns)

    async def execute(
        self,
        operation: AdmittedOperation,
        caller: Caller,
        cache_control: CacheControl,
        point_batches: PointBatchSource | None = None,
    ) -> ComputedResponse:
        """Return the encoded response to an operation, for an event of a stream with the event's points.

        A query, and one event of a subscription, has a timeout, and uses the record cache as `cache_control`
        specifies. A mutation bypasses the cache, and has no timeout: each of its calls to the store has one.
        Raises `RequestError`, 503, if too many operations are in flight or the server stops first.
        """
        if operation.is_mutation:
            cache_control = CacheControl.NO_STORE
        try:
            with self.limiter:
                return await self._compute_response(operation, caller, cache_control, point_batches)
        except LimiterFull as full:
            raise too_many_operations(full.limit) from None

    async def _compute_response(
        self,
        operation: AdmittedOperation,
        caller: Caller,
        cache_control: CacheControl,
        point_batches: PointBatchSource | None,
    ) -> ComputedResponse:
        budget = None
        if not operation.is_mutation:
            limits = self.limits.operations
            budget = OperationBudget(limits.max_processor_seconds, limits.max_read_bytes)
            current_budget.set(budget)
        single_read = _needs_no_snapshot(operation)
        tracking = self.store.for_operation(
            caller.principal, cache_control, final=operation.is_mutation, single_read=single_read
        )
        encoder = ResponseEncoder()
        result = await self._run(operation, tracking, encoder, budget, point_batches)
        if tracking.is_mixed:
            # Cached records may contradict records that were just read. Now all are read.
            bypass = CacheControl.NO_CACHE if cache_control is CacheControl.DEFAULT else cache_control
            tracking = self.store.for_operation(caller.principal, bypass, single_read=single_read)
            encoder = ResponseEncoder()
            result = await self._run(operation, tracking, encoder, budget, point_batches)
        response = self._format(result)
        codes = tuple({error["extensions"]["code"] for error in response.get("errors", ())})
        body = await encoder.encode_response(response, self.turns)
        if len(body) > _LONG_BODY_BYTES:
            await self.turns.take()
        return ComputedResponse(body, 0.0 if codes else tracking.min_ttl, codes, tracking.age)

    async def _run(
        self,
        operation: AdmittedOperation,
        tracking: CachedTracking | DirectTracking,
        encoder: ResponseEncoder,
        budget: OperationBudget | None,
        point_batches: PointBatchSource | None,
    ) -> ExecutionResult:
        context = Operation(
            tracking=tracking.port,
            server_info=self.server_info,
            limits=self.limits.queries,
            writes=self.writes,
            answer=Answer(encoder, self.turns, self.limits.operations.max_answer_bytes, budget),
            metered=None if budget is None else budget.metered,
            trace_level=level_span if is_tracing() else None,
            point_batches=point_batches,
            base_path=operation.request.root_path,
        )
        try:
            result = await self._run_with_timeout(operation, context)
            if context.answer.is_long:
                await context.drop_results()
                await self.turns.take()
            return result
        finally:
            # Cancel reads that are still in flight, so that their threads and statements end.
            context.close()
            tracking.release()

    async def _run_with_timeout(self, operation: AdmittedOperation, context: Operation) -> ExecutionResult:
        seconds = self.limits.operations.operation_timeout if not operation.is_mutation else None
        try:
            async with asyncio.timeout(seconds) as timeout:
                with self.shutdown.track(timeout):
                    execution = execute_operation(
                        self.schema,
                        operation.document,
                        operation.planned,
                        root=ROOT,
                        operation=context,
                        variables=operation.request.variables,
                        name=operation.request.operation_name,
                    )
                    return await (execution if context.metered is None else context.metered(execution))
        except TimeoutError:
            if self.shutdown.operations_cancelled:
                raise stopping(change=operation.is_mutation) from None
            message = f"The operation took longer than {seconds:g} seconds (GQL_OPERATION_TIMEOUT)."
            return ExecutionResult(None, [GraphQLError(message, original_error=LimitExceeded(message))])

    def _format(self, result: ExecutionResult) -> dict[str, Any]:
        if not result.errors:
            return {"data": result.data}
        max_errors = self.limits.responses.max_errors
        errors = execution_error_entries(result.errors, max_errors, self.error_detail)
        # Without data and without a path nothing was executed, as with invalid variables: there is no `data`.
        if result.data is None and all(error.path is None for error in result.errors):
            return {"errors": errors}
        return {"data": result.data, "errors": errors}


def _needs_no_snapshot(operation: AdmittedOperation) -> bool:
    """Return whether each of the operation's reads may be of its own state of the store.

    A mutation has to see the changes that it made after its first read.
    """
    if operation.is_mutation:
        return True
    return operation.planned is not None and operation.planned.plan.reads <= 1


def was_executed(body: bytes | memoryview) -> bool:
    """Report whether a response is of an operation that was executed: its first key is `data`."""
    return bytes(body[:7]) == b'{"data"'
