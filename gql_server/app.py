"""The application: every component, built from the settings, and the routes that use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from gql_server import __version__
from gql_server.artifacts.factory import artifact_service_from, upload_service_from
from gql_server.auth.authenticator import Authenticator, authenticator_from
from gql_server.auth.middleware import AuthenticationMiddleware
from gql_server.auth.protected_route import ProtectedRoute
from gql_server.auth.rate_limit import RateLimiter, rate_limiter_from
from gql_server.auth.write_permission import WritePermissionMiddleware
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.factory import cache_from, cached_store_from
from gql_server.cache.response_cache import ResponseCache
from gql_server.config.mlflow_version import MLFLOW_VERSION
from gql_server.config.settings import Settings
from gql_server.exports.table_exporter import TableExporter
from gql_server.http.csrf import SAFE_METHODS, CsrfMiddleware
from gql_server.http.direct_route import DirectRouteMiddleware
from gql_server.http.error_middleware import ErrorMiddleware
from gql_server.http.graphiql.page import page
from gql_server.http.graphiql.static_files import GraphiQLFiles
from gql_server.http.negotiation_middleware import NegotiationMiddleware
from gql_server.http.not_found import method_not_allowed, not_found
from gql_server.http.request_head import RequestHeadMiddleware
from gql_server.http.streamed_compression import StreamedCompressionMiddleware
from gql_server.http.trusted_hosts import TrustedHostMiddleware
from gql_server.http.unread_body import UnreadBodyMiddleware
from gql_server.live.event_stream import EventStreams
from gql_server.live.executed_operations import ExecutedOperations
from gql_server.live.live_connections import LiveConnections
from gql_server.live.live_queries import LiveQueries
from gql_server.live.metric_points.metric_point_streams import MetricPointStreams
from gql_server.live.metric_points.stream_answers import StreamAnswers
from gql_server.live.subscription_counts import SubscriptionCounts
from gql_server.observability.access_log import AccessLogMiddleware, OperationLog
from gql_server.observability.instrumented_store import instrumented
from gql_server.observability.metrics import Metrics
from gql_server.operations.admission import OperationAdmission
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.operations.request_executor import RequestExecutor
from gql_server.routes.downloads import DownloadsEndpoint
from gql_server.routes.graphql import GraphQLEndpoint
from gql_server.routes.graphql_socket import GraphQLSocketEndpoint
from gql_server.routes.health import healthz, readyz
from gql_server.routes.metrics import MetricsEndpoint
from gql_server.routes.store_errors import StoreErrorMiddleware
from gql_server.routes.tables import TablesEndpoint
from gql_server.routes.uploads import UploadsEndpoint
from gql_server.runtime.limiter import Limiter
from gql_server.runtime.shutdown import Shutdown
from gql_server.runtime.temporary_folder import delete_unused_folders
from gql_server.stores.factory import store_from
from schema.build import build_schema
from schema.engine.operation import ServerInfo
from schema.ports.tracking import Tracking
from schema.types.artifact import ROUTES

if TYPE_CHECKING:
    from gql_server.stores.writes.write_store import WriteStore

_CORS_RESPONSE_HEADERS: Final = (
    "accept-ranges",
    "age",
    "content-disposition",
    "content-range",
    "etag",
    "retry-after",
)
"""The response headers that pages of the listed origins may read, besides those that any page may."""
_GRAPH: Final = "/graphql"
_LOGGED_ROUTES: Final = (_GRAPH, "/tables", *(f"/{name}" for name in ROUTES.values()))


def create_app(settings: Settings | None = None, tracking: Tracking | None = None) -> Starlette:
    """Return the application over the settings' store, or over the one given.

    The store is opened with its first use; `/readyz` reports whether it responds.
    """
    settings = settings or Settings()
    limits = settings.limits
    metrics, shutdown = Metrics(), Shutdown()
    operation_limiter = Limiter(limits.operations.max_operations)
    authenticator, rate_limiter = authenticator_from(settings), rate_limiter_from(settings)

    store = tracking or store_from(settings)
    artifacts = artifact_service_from(settings, store)
    cache = cache_from(settings)
    cached_store = cached_store_from(settings, instrumented(store, metrics), artifacts, cache)
    writes = _write_store(settings, store, cached_store) if settings.writable else None
    uploads = upload_service_from(settings, cached_store) if settings.writable else None
    exporter = TableExporter(store, limits.exports, limits.queries.max_conditions)
    cached_store.on_invalidate(exporter.invalidate)

    schema = build_schema(writable=settings.writable)._schema  # noqa: SLF001 - as Strawberry's own integrations
    persisted = PersistedDocuments.from_settings(settings)
    executor = OperationExecutor(
        schema=schema,
        limits=limits,
        error_detail=settings.error_detail,
        server_info=_server_info(settings),
        store=cached_store,
        limiter=operation_limiter,
        shutdown=shutdown,
        writes=writes,
    )
    requests = RequestExecutor(
        persisted=persisted,
        admission=OperationAdmission(schema, settings, persisted),
        executor=executor,
        responses=ResponseCache(cache),
        limits=limits.documents,
        writable=settings.writable,
    )
    subscriptions = SubscriptionCounts(limits.live)
    operations = ExecutedOperations(
        requests,
        LiveQueries(executor, subscriptions, limits.live, metrics),
        # Streams read each point once, so that a cache of records is of no use to them.
        StreamAnswers(
            MetricPointStreams(instrumented(store, metrics), limits.live),
            executor,
            subscriptions,
            limits.live,
        ),
    )
    cached_store.on_invalidate(operations.wake)
    connections = LiveConnections(limits.connections)
    shutdown.on_closing(connections.end_all)
    streams = EventStreams(operations, connections, limits)
    graphql = GraphQLEndpoint(requests, streams, limits)

    authentication = Middleware(
        AuthenticationMiddleware, authenticator=authenticator, rate_limiter=rate_limiter
    )
    send_timeout = limits.responses.download_patience
    tables_route = TablesEndpoint(exporter, limits.exports, send_timeout).route()
    file_middleware = _file_middleware(settings, authentication)
    file_routes = [
        *([UploadsEndpoint(uploads).route()] if uploads is not None else []),
        *DownloadsEndpoint(artifacts, limits.artifacts, send_timeout).routes(),
    ]
    # Starlette passes every method to an ASGI application; NegotiationMiddleware checks it.
    graphql_route = ProtectedRoute(Route(_GRAPH, graphql), _graphql_middleware(settings, authentication))
    routes: list[BaseRoute] = [
        Route("/", _redirect_to_graphql),
        Route("/healthz", healthz(cache.stats)),
        Route("/readyz", readyz(store, shutdown)),
        Mount("/graphiql", GraphiQLFiles()),
        graphql_route,
        WebSocketRoute(
            _GRAPH,
            GraphQLSocketEndpoint(
                events=operations,
                connections=connections,
                authenticator=authenticator,
                rate_limiter=rate_limiter,
                log=OperationLog(metrics),
                limits=limits,
                allowed_origins=settings.origins,
            ),
        ),
        ProtectedRoute(tables_route, [*file_middleware, Middleware(StreamedCompressionMiddleware)]),
        *(ProtectedRoute(route, file_middleware) for route in file_routes),
    ]
    if settings.metrics:
        routes.append(_metrics_route(metrics, store, authenticator, rate_limiter))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with metrics.sampling(cache.stats, operation_limiter, connections):
            with shutdown.handle_signals(settings.shutdown_delay, settings.shutdown_timeout):
                yield
        await operations.close()
        if rate_limiter is not None:
            await rate_limiter.close()
        if writes is not None:
            await writes.close()
        if uploads is not None:
            await uploads.close()
        artifacts.close()
        exporter.close()
        delete_unused_folders()
        await store.close()
        await cache.close()

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            *_app_middleware(settings, metrics),
            Middleware(DirectRouteMiddleware, route=graphql_route),
        ],
        exception_handlers={404: not_found, 405: method_not_allowed},
    )


def _write_store(settings: Settings, store: Tracking, cached: CachedStore) -> "WriteStore":
    from gql_server.stores.writes.factory import write_store_from  # noqa: PLC0415 - imports MLflow

    return write_store_from(settings, store, cached)


def _server_info(settings: Settings) -> ServerInfo:
    return ServerInfo(version=__version__, mlflow_version=MLFLOW_VERSION, read_only=not settings.writable)


def _metrics_route(
    metrics: Metrics, store: Tracking, authenticator: Authenticator, rate_limiter: RateLimiter | None
) -> ProtectedRoute:
    # Only a store with the callers' own credentials has it.
    verify_caller = getattr(store, "verify_caller", None)
    middleware = Middleware(
        AuthenticationMiddleware,
        authenticator=authenticator,
        # A scrape counts against the rate limit only if it calls the MLflow server.
        rate_limiter=None if verify_caller is None else rate_limiter,
    )
    return ProtectedRoute(MetricsEndpoint(metrics, verify_caller).route(), [middleware])


def _app_middleware(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """Return the middleware of every request, the outermost first."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=["GET", "HEAD", "POST", *(["PUT"] if settings.writable else [])],
        # A preflight of a listed origin is answered with the headers that it names: libraries for tracing and
        # for GraphQL add their own, and no header gives a page more rights than the origin has.
        allow_headers=["*"],
        # A listed page may reach this server also if the page is public and the server is not.
        allow_private_network=True,
        expose_headers=_CORS_RESPONSE_HEADERS,
        max_age=600,
    )
    return [
        # Outside of the access log, whose times are those of the response.
        Middleware(UnreadBodyMiddleware),
        Middleware(AccessLogMiddleware, metrics=metrics, routes=_LOGGED_ROUTES),
        # Outside of all that refuses requests, so that listed pages can read the reason.
        *([cors] if settings.origins else []),
        Middleware(RequestHeadMiddleware),
        Middleware(TrustedHostMiddleware, names=settings.host_names),
        Middleware(ErrorMiddleware, send_timeout=settings.limits.responses.download_patience),
    ]


def _graphql_middleware(settings: Settings, authentication: Middleware) -> list[Middleware]:
    """Return the middleware of `/graphql`, the outermost first."""
    return [
        Middleware(
            NegotiationMiddleware,
            page=page if settings.graphiql else None,
            send_timeout=settings.limits.responses.download_patience,
        ),
        Middleware(
            CsrfMiddleware, allowed_origins=settings.origins, get_needs_header=settings.get_needs_header
        ),
        authentication,
    ]


def _file_middleware(settings: Settings, authentication: Middleware) -> list[Middleware]:
    """Return the middleware of tables and artifacts, the outermost first."""
    return [
        # Links on other sites may lead to files, so only uploads are protected.
        Middleware(CsrfMiddleware, allowed_origins=settings.origins, exempt_methods=SAFE_METHODS),
        authentication,
        Middleware(WritePermissionMiddleware),
        Middleware(StoreErrorMiddleware),
    ]


async def _redirect_to_graphql(_request: Request) -> Response:
    # Relative, so that it is also right behind a proxy that serves this application below another path.
    return RedirectResponse("graphql")
