"""An application that has the graph of a small schema at `/`, with chosen events."""

import time
from collections.abc import Callable

from graphql import build_schema as schema_of
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from gql_server.auth.authenticator import authenticator_from
from gql_server.auth.middleware import AuthenticationMiddleware
from gql_server.auth.protected_route import ProtectedRoute
from gql_server.auth.rate_limit import rate_limiter_from
from gql_server.cache.cache import Cache
from gql_server.cache.factory import cache_from, cached_store_from
from gql_server.cache.response_cache import ResponseCache
from gql_server.config.settings import Settings
from gql_server.http.error_middleware import ErrorMiddleware
from gql_server.http.negotiation_middleware import NegotiationMiddleware
from gql_server.live.event_stream import EventStreams
from gql_server.live.executed_operations import ExecutedOperations
from gql_server.live.live_connections import LiveConnections
from gql_server.live.live_queries import LiveQueries
from gql_server.live.metric_points.metric_point_streams import MetricPointStreams
from gql_server.live.metric_points.stream_answers import StreamAnswers
from gql_server.live.operation_events import OperationEvents
from gql_server.live.subscription_counts import SubscriptionCounts
from gql_server.observability.access_log import OperationLog
from gql_server.observability.metrics import Metrics
from gql_server.operations.admission import OperationAdmission
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.operations.request_executor import RequestExecutor
from gql_server.routes.graphql import GraphQLEndpoint
from gql_server.routes.graphql_socket import GraphQLSocketEndpoint
from gql_server.runtime.limiter import Limiter
from gql_server.runtime.shutdown import Shutdown
from schema.engine.operation import ServerInfo
from tests.support.schema.memory_tracking import MemoryTracking

SCHEMA = "type Query { a: Int } type Mutation { write: Int } type Subscription { ticks: Int }"


class SmallApp:
    """The application, and the parts that tests look at."""

    def __init__(
        self,
        settings: Settings | None = None,
        events: OperationEvents | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or Settings(tracking_uri="unused:")
        self.settings, limits = settings, settings.limits
        cache = cache_from(settings)
        executor = _executor(settings, cache)
        self.requests = _requests(settings, executor, cache)
        self.connections = LiveConnections(limits.connections, clock)
        subscriptions = SubscriptionCounts(limits.live)
        live = LiveQueries(executor, subscriptions, limits.live, Metrics())
        streams = MetricPointStreams(MemoryTracking([]), limits.live)
        points = StreamAnswers(streams, executor, subscriptions, limits.live)
        self.events = events or ExecutedOperations(self.requests, live, points)
        self.streams = EventStreams(self.events, self.connections, limits)
        endpoint = GraphQLEndpoint(self.requests, self.streams, limits)
        authentication = Middleware(
            AuthenticationMiddleware,
            authenticator=authenticator_from(settings),
            rate_limiter=rate_limiter_from(settings),
        )
        negotiation = Middleware(NegotiationMiddleware, page=None, send_timeout=1.0)
        socket = GraphQLSocketEndpoint(
            events=self.events,
            connections=self.connections,
            authenticator=authenticator_from(settings),
            rate_limiter=rate_limiter_from(settings),
            log=OperationLog(Metrics()),
            limits=limits,
            allowed_origins=settings.origins,
        )
        route = ProtectedRoute(Route("/", endpoint), [negotiation, authentication])
        self.app = Starlette(
            routes=[route, WebSocketRoute("/", socket)],
            middleware=[Middleware(ErrorMiddleware, send_timeout=1.0)],
        )


def _executor(settings: Settings, cache: Cache) -> OperationExecutor:
    tracking = MemoryTracking([])
    return OperationExecutor(
        schema=schema_of(SCHEMA),
        limits=settings.limits,
        error_detail=settings.error_detail,
        server_info=ServerInfo(version="", mlflow_version="", read_only=False),
        store=cached_store_from(settings, tracking, tracking.artifacts, cache),
        limiter=Limiter(1),
        shutdown=Shutdown(),
    )


def _requests(settings: Settings, executor: OperationExecutor, cache: Cache) -> RequestExecutor:
    persisted = PersistedDocuments.from_settings(settings)
    return RequestExecutor(
        persisted=persisted,
        admission=OperationAdmission(executor.schema, settings, persisted),
        executor=executor,
        responses=ResponseCache(cache),
        limits=settings.limits.documents,
        writable=True,
    )
