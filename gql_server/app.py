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
from gql_server.artifacts.access import ArtifactAccess
from gql_server.artifacts.places import Places
from gql_server.auth.door import Door, door_of
from gql_server.auth.guard import Guard
from gql_server.cache.answers import Answers
from gql_server.graphiql.files import PageFiles
from gql_server.graphiql.page import page
from gql_server.health import healthz, readyz
from gql_server.http.crossing import ASKED
from gql_server.http.downloads import Downloads
from gql_server.http.endpoint import GraphQLEndpoint
from gql_server.http.gate import Gate
from gql_server.http.heads import Heads
from gql_server.http.hosts import Hosts
from gql_server.http.rates import Rates, rates_of
from gql_server.http.runner import Runner
from gql_server.http.unrouted import nowhere, other_method
from gql_server.http.uploads import Uploads
from gql_server.seeing.access import Access
from gql_server.seeing.metrics import Metrics
from gql_server.seeing.watched import watched
from gql_server.settings import Settings
from gql_server.stopping import Stopping
from gql_server.tables.endpoint import Tables
from gql_server.tracking.cached import Cached
from gql_server.tracking.connect import access_to, cache_of, cached, connect, writer
from gql_server.tracking.pass_through_store import PassThroughTracking
from schema.build import build_schema
from schema.operation import Facts
from schema.tracking import Tracking

_SENT = ("accept", "authorization", "cache-control", "content-type", "if-none-match", "x-api-key")
"""The headers that pages of other sites may send, once they are listed."""
_READ = ("accept-ranges", "age", "content-range", "etag", "retry-after")
"""Those that they may read."""


def create_app(settings: Settings | None = None, tracking: Tracking | None = None) -> Starlette:
    """Return the application over the store that the settings name, or over the one given.

    Nothing is opened here: the store opens with its first use, and `/readyz` says whether it does.
    """
    settings = settings or Settings()
    store = tracking or connect(settings)
    facts = Facts(version=__version__, mlflow_version=mlflow.__version__, read_only=not settings.writable)
    access = store.artifacts if isinstance(store.artifacts, ArtifactAccess) else access_to(store, settings)
    cache = cache_of(settings)
    metrics = Metrics()
    gate = Gate(settings.max_operations)
    kept = cached(watched(store, metrics), cache, settings)
    writing = writer(store, kept, settings) if settings.writable else None
    stopping = Stopping()
    runner = Runner(
        schema=build_schema(writable=settings.writable)._schema,  # noqa: SLF001 - Strawberry's own integrations take it from here
        settings=settings,
        facts=facts,
        store=kept,
        answers=Answers(cache),
        gate=gate,
        writing=writing,
        stopping=stopping,
    )
    door, rates = door_of(settings), rates_of(settings)
    endpoint = GraphQLEndpoint(runner, settings, page if settings.graphiql else None, door, rates)
    uploads = uploads_to(kept, settings) if settings.writable else None
    tables = Tables(store, settings)
    kept.tell(tables.forget)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with metrics.watching(cache.counts, gate):
            with stopping.announced(settings.shutdown_delay, settings.shutdown_timeout):
                yield
        if rates is not None:
            await rates.close()
        if writing is not None:
            await writing.close()
        if uploads is not None:
            uploads.close()
        access.close()
        tables.close()
        await store.close()
        await cache.close()

    routes = [
        Route("/", _to_graph),
        *([uploads.route()] if uploads is not None else []),
        *Downloads(access, settings.max_downloads).routes(),
        # All methods: the endpoint says itself which it takes, in JSON.
        Route("/graphql", endpoint),
        Mount("/graphiql", PageFiles()),
        Route("/tables/{name}", tables.__call__, methods=["GET"]),
        Route("/healthz", healthz(cache.counts)),
        Route("/readyz", readyz(store, stopping)),
    ]
    if settings.metrics:
        prove = store.prove if isinstance(store, PassThroughTracking) else None
        routes.append(Route("/metrics", endpoint.show(metrics, prove)))
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=_middleware(settings, metrics, door, rates),
        exception_handlers={404: nowhere, 405: other_method},
    )


def _middleware(settings: Settings, metrics: Metrics, door: Door, rates: Rates | None) -> list[Middleware]:
    """Return what each request goes through first, the outermost first."""
    chain = [
        Middleware(Access, metrics=metrics),
        Middleware(Heads),
        Middleware(Hosts, names=settings.host_names),
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
    chain.append(Middleware(Guard, door=door, rates=rates, origins=settings.origins))
    return chain


def uploads_to(kept: Cached, settings: Settings) -> Uploads:
    """Return what takes files for the runs of the settings' store."""
    return Uploads(
        Places(settings.tracking_uri, server_uri=settings.artifacts_uri, roots=settings.artifact_roots),
        kept,
        most=settings.max_uploads,
        most_bytes=settings.max_upload_bytes,
        patience=settings.upload_timeout,
    )


async def _to_graph(_request: Request) -> Response:
    # Relative, so that it holds behind a proxy that serves this under a path of its own.
    return RedirectResponse("graphql")
