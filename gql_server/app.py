"""The application: routes, and what each request is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mlflow
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from gql_server import __version__
from gql_server.artifacts.factory import artifact_service_from, upload_service_from
from gql_server.auth.authenticator import Authenticator, authenticator_from
from gql_server.auth.middleware import AuthenticationMiddleware
from gql_server.auth.rate_limit import RateLimiter, rate_limiter_from
from gql_server.cache.factory import cache_from, cached_store_from
from gql_server.cache.response_cache import ResponseCache
from gql_server.config.settings import Settings
from gql_server.exports.table_exporter import TableExporter
from gql_server.http.csrf import ASKED
from gql_server.http.graphiql.page import page
from gql_server.http.graphiql.static_files import PageFiles
from gql_server.http.header_limit import HeaderLimitMiddleware
from gql_server.http.not_found import method_not_allowed, not_found
from gql_server.http.trusted_hosts import TrustedHostMiddleware
from gql_server.observability.access_log import AccessLogMiddleware
from gql_server.observability.instrumented_store import instrumented
from gql_server.observability.metrics import Metrics
from gql_server.operations.execute import OperationExecutor
from gql_server.routes.downloads import DownloadsEndpoint
from gql_server.routes.graphql import GraphQLEndpoint
from gql_server.routes.health import healthz, readyz
from gql_server.routes.tables import TablesEndpoint
from gql_server.routes.uploads import UploadsEndpoint
from gql_server.runtime.limiter import Limiter
from gql_server.runtime.shutdown import Shutdown
from gql_server.stores.factory import store_from, write_store_from
from gql_server.stores.mlflow.pass_through_tracking import PassThroughTracking
from schema.build import build_schema
from schema.engine.operation import ServerInfo
from schema.ports.tracking import Tracking

_SENT = ("accept", "authorization", "cache-control", "content-type", "if-none-match", "x-api-key")
"""The headers that pages of other sites may send, once they are listed."""
_READ = ("accept-ranges", "age", "content-range", "etag", "retry-after")
"""Those that they may read."""


def create_app(settings: Settings | None = None, tracking: Tracking | None = None) -> Starlette:
    """Return the application over the store that the settings name, or over the one given.

    Nothing is opened here: the store opens with its first use, and `/readyz` says whether it does.
    """
    settings = settings or Settings()
    store = tracking or store_from(settings)
    facts = ServerInfo(
        version=__version__, mlflow_version=mlflow.__version__, read_only=not settings.writable
    )
    access = artifact_service_from(settings, store)
    cache = cache_from(settings)
    metrics = Metrics()
    operation_limiter = Limiter(settings.max_operations)
    kept = cached_store_from(settings, instrumented(store, metrics), access, cache)
    writing = write_store_from(settings, store, kept) if settings.writable else None
    stopping = Shutdown()
    runner = OperationExecutor(
        schema=build_schema(writable=settings.writable)._schema,  # noqa: SLF001 - Strawberry's own integrations take it from here
        settings=settings,
        facts=facts,
        store=kept,
        answers=ResponseCache(cache),
        limiter=operation_limiter,
        writing=writing,
        stopping=stopping,
    )
    door, rates = authenticator_from(settings), rate_limiter_from(settings)
    endpoint = GraphQLEndpoint(runner, settings, page if settings.graphiql else None, door, rates)
    uploads = upload_service_from(settings, kept) if settings.writable else None
    limits = settings.limits
    exporter = TableExporter(store, limits.exports, limits.queries.max_conditions)
    kept.on_invalidate(exporter.invalidate)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with metrics.sampling(cache.stats, operation_limiter):
            with stopping.handle_signals(settings.shutdown_delay, settings.shutdown_timeout):
                yield
        if rates is not None:
            await rates.close()
        if writing is not None:
            await writing.close()
        if uploads is not None:
            uploads.close()
        access.close()
        exporter.close()
        await store.close()
        await cache.close()

    routes = [
        Route("/", _to_graph),
        *([UploadsEndpoint(uploads).route()] if uploads is not None else []),
        *DownloadsEndpoint(access, limits.artifacts).routes(),
        # All methods: the endpoint says itself which it takes, in JSON.
        Route("/graphql", endpoint),
        Mount("/graphiql", PageFiles()),
        TablesEndpoint(exporter, limits.exports).route(),
        Route("/healthz", healthz(cache.stats)),
        Route("/readyz", readyz(store, stopping)),
    ]
    if settings.metrics:
        prove = store.prove if isinstance(store, PassThroughTracking) else None
        routes.append(Route("/metrics", endpoint.show(metrics, prove)))
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=_middleware(settings, metrics, door, rates),
        exception_handlers={404: not_found, 405: method_not_allowed},
    )


def _middleware(
    settings: Settings, metrics: Metrics, door: Authenticator, rates: RateLimiter | None
) -> list[Middleware]:
    """Return what each request goes through first, the outermost first."""
    chain = [
        Middleware(AccessLogMiddleware, metrics=metrics),
        Middleware(HeaderLimitMiddleware),
        Middleware(TrustedHostMiddleware, names=settings.host_names),
    ]
    if settings.origins:
        chain.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST", *(["PUT"] if settings.writable else [])],
                allow_headers=[*_SENT, *ASKED],
                expose_headers=_READ,
                max_age=600,
            )
        )
    chain.append(Middleware(AuthenticationMiddleware, door=door, rates=rates, origins=settings.origins))
    return chain


async def _to_graph(_request: Request) -> Response:
    # Relative, so that it holds behind a proxy that serves this under a path of its own.
    return RedirectResponse("graphql")
