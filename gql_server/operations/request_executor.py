"""The way of a GraphQL request from its document to its response, the same for every transport."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.response_cache import CachedResponse, CacheLookup, ResponseCache
from gql_server.config.limits import DocumentLimits
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.observability.request_record import RequestRecord
from gql_server.operations.admission import AdmittedOperation, OperationAdmission
from gql_server.operations.cost_extension import with_cost
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.operations.request_key import request_key


@dataclass(frozen=True, slots=True)
class RequestLookup:
    """A request with its document, and what the response cache has for it."""

    request: GraphQLRequest
    cached: CacheLookup

    @property
    def response(self) -> CachedResponse | None:
        """Return the cached response; None if the operation has to be admitted first."""
        return None if self.request.include_cost else self.cached.response


class RequestExecutor:
    """Executes requests in three steps: `look_up`, then `admit` and `execute` without a cached response.

    Each step raises `RequestError` for a request that is not executed.
    """

    def __init__(
        self,
        *,
        persisted: PersistedDocuments,
        admission: OperationAdmission,
        executor: OperationExecutor,
        responses: ResponseCache,
        limits: DocumentLimits,
        writable: bool,
    ) -> None:
        self._persisted = persisted
        self._admission = admission
        self._executor = executor
        self._responses = responses
        self._limits = limits
        self._writable = writable

    async def look_up(
        self, request: GraphQLRequest, caller: Caller, cache_control: CacheControl, record: RequestRecord
    ) -> RequestLookup:
        """Find the request's document, and its response in the cache."""
        request = self._persisted.resolve(request)
        record.set_document(request.operation_name, request.query)
        cached = await self._responses.lookup(self._key(request, caller), cache_control)
        record.cached = cached.response is not None
        lookup = RequestLookup(request, cached)
        if lookup.response is not None:
            # The document is valid, because only responses to valid documents are cached.
            self._persisted.remember(request)
        return lookup

    async def admit(
        self,
        lookup: RequestLookup,
        caller: Caller,
        record: RequestRecord,
        check_client: Callable[[], None] = lambda: None,
    ) -> AdmittedOperation:
        """Return the request's operation if it is valid, within the limits and permitted to the caller.

        `check_client` is called between the parts of a long document, and raises if the client has left.
        """

        async def pause() -> None:
            await self._executor.turns.take()
            check_client()

        operation = await self._admission.admit(lookup.request, pause)
        # Recorded before the check of the permission, so that the access log names a refused mutation.
        record.set_operation(operation.kind, operation.name, operation.cost)
        operation.check_permission(caller)
        return operation

    async def execute(
        self, lookup: RequestLookup, operation: AdmittedOperation, caller: Caller
    ) -> CachedResponse:
        """Return the response to an admitted query or mutation."""
        compute = partial(self._executor.execute, operation, caller, lookup.cached.cache_control)
        if operation.is_query:
            response = await self._responses.get_or_compute(lookup.cached, compute)
        else:
            response = (await compute()).as_new()
        if lookup.request.include_cost:
            body = with_cost(response.body, operation.cost, self._limits.max_cost)
            response = response._replace(body=body)
        return response

    def _key(self, request: GraphQLRequest, caller: Caller) -> str:
        key = request_key(request, caller)
        # `Query.server` differs between a read-only and a writable server that share a Redis.
        return f"{key}:writable" if self._writable else key
