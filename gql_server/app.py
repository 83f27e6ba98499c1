"""The application: routes, and what each request is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mlflow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from strawberry.http.ides import get_graphql_ide_html

from gql_server import __version__
from gql_server.cache.answers import Answers
from gql_server.health import healthz, readyz
from gql_server.http.endpoint import GraphQLEndpoint
from gql_server.http.runner import Runner
from gql_server.settings import Settings
from gql_server.tracking.connect import cache_of, cached, connect
from schema.build import build_schema
from schema.operation import Facts
from schema.tracking import Tracking


def create_app(settings: Settings | None = None, tracking: Tracking | None = None) -> Starlette:
    """Return the application over the store that the settings name, or over the one given.

    Nothing is opened here: the store opens with its first use, and `/readyz` says whether it does.
    """
    settings = settings or Settings()
    store = tracking or connect(settings)
    facts = Facts(version=__version__, mlflow_version=mlflow.__version__, read_only=True)
    page = get_graphql_ide_html() if settings.graphiql else None
    cache = cache_of(settings)
    runner = Runner(
        schema=build_schema()._schema,  # noqa: SLF001 - Strawberry's own integrations take it from here
        settings=settings,
        facts=facts,
        store=cached(store, cache, settings),
        answers=Answers(cache),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await store.close()
        await cache.close()

    routes = [
        Route("/", _to_graph),
        Route("/graphql", GraphQLEndpoint(runner, settings, page), methods=["GET", "POST"]),
        Route("/healthz", healthz(cache.counts)),
        Route("/readyz", readyz(store)),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _to_graph(_request: Request) -> Response:
    # Relative, so that it holds behind a proxy that serves this under a path of its own.
    return RedirectResponse("graphql")
