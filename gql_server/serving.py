"""Starting and running the server: what must be right first, the socket, the workers."""

import asyncio
import atexit
import gc
import importlib.util
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

import schema
from gql_server.app import create_app
from gql_server.auth.authenticator import authenticator_from
from gql_server.auth.rate_limit import rate_limiter_from
from gql_server.cache.factory import cache_from
from gql_server.config.settings import Settings
from gql_server.observability.access_log import log_to_stderr
from gql_server.observability.tracing import set_up_tracing
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.runtime.allocator import return_large_buffers
from gql_server.stores.factory import store_from
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreTimeout, StoreUnavailable

_BACKLOG = 2048
_WORKER_START = 60
"""Seconds that a worker may not answer its supervisor: importing MLflow takes longer than uvicorn's five."""

_log = logging.getLogger(__name__)


class StartupError(Exception):
    """The server cannot start until someone mends what the message says."""


class _Supervisor(Multiprocess):
    """uvicorn's own, but for workers that die while they are asked how they do.

    Nothing comes from the pipe of such a worker, not its end either as long as this process holds the
    worker's side of it open: it would be waited for as long as for one that starts.
    """

    def keep_subprocess_alive(self) -> None:
        """Put another worker in the place of each that is no more."""
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()


def serve_forever(settings: Settings, announce: Callable[[str], str] | None = None) -> None:
    """Check, listen and serve until a signal comes.

    `announce` is given the address once the socket is bound, and its text is printed. Raises CannotServe.
    A store that is down is no reason not to start: the server comes up not ready and recovers.
    """
    check_own_schema()
    _check_requests(settings)
    _check_cache(settings)
    asyncio.run(_check_store(settings))
    bound = _bind(settings)
    address = f"http://{_printable(settings.host)}:{bound.getsockname()[1]}/graphql"
    click.echo(announce(address) if announce else f"Serving {address}")
    config = _config(settings)
    # After an interrupt uvicorn has closed everything in order, and then raises it again.
    with suppress(KeyboardInterrupt):
        if settings.workers > 1:
            # Workers are new processes: the environment is how they get the settings.
            os.environ.update(_environment(settings))
            # Where they put their numbers together, for whichever is asked for them.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = numbers = tempfile.mkdtemp(prefix="gql-metrics-")
            atexit.register(shutil.rmtree, numbers, ignore_errors=True)
            _Supervisor(config, sockets=[bound]).run()
        else:
            uvicorn.Server(config).run(sockets=[bound])


def worker_app(settings: Settings | None = None) -> Starlette:
    """Return the application of one worker; its settings come from the environment if not from here."""
    return_large_buffers()
    set_up_tracing()
    settings = settings or Settings()
    if settings.access_log:
        log_to_stderr()
    app = create_app(settings)
    # What is here now stays: the collector need not walk it again each time.
    gc.collect()
    gc.freeze()
    return app


def check_own_schema() -> None:
    """Raise CannotServe where another distribution's `schema` package took the place of ours."""
    ours = Path(__file__).parent.parent / "schema" / "build.py"
    spec = importlib.util.find_spec("schema.build")
    if spec is None or spec.origin is None or not ours.exists() or not ours.samefile(spec.origin):
        message = (
            f"the package `schema` at {Path(schema.__file__ or '?').parent} is not this server's: "
            "the distribution `schema` is installed beside it. "
            "Install mlflow-gql-server in an environment of its own."
        )
        raise StartupError(message)


def _check_requests(settings: Settings) -> None:
    if settings.auth == "off" and not settings.allow_anonymous and not _is_loopback(settings.host):
        message = (
            f"listening on {settings.host}, with auth off, lets anyone who reaches it ask: set GQL_AUTH "
            "(see docs/security.md), or GQL_ALLOW_ANONYMOUS=true if that is meant."
        )
        raise StartupError(message)
    try:
        authenticator_from(settings)
        PersistedDocuments.of(settings)
        rate_limiter_from(settings)
    except ValueError as error:
        raise StartupError(str(error)) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_cache(settings: Settings) -> None:
    try:
        cache_from(settings)
    except ValueError as error:
        raise StartupError(str(error)) from None
    except ImportError:
        message = "A cache in Redis needs a client: pip install 'mlflow-gql-server[redis]'"
        raise StartupError(message) from None


async def _check_store(settings: Settings) -> None:
    store = store_from(settings)
    try:
        await store.open()
    except StoreConfigError as error:
        raise StartupError(str(error)) from None
    except (StoreUnavailable, StoreTimeout) as fault:
        _log.warning("starting without the store: %s", fault)
    finally:
        await store.close()


def _bind(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OSError as error:
        message = f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        raise StartupError(message) from None
    listening.set_inheritable(True)
    return listening


def _printable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "gql_server.serving:worker_app" if settings.workers > 1 else partial(worker_app, settings),
        factory=True,
        workers=settings.workers,
        log_level=settings.log_level,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        timeout_worker_healthcheck=_WORKER_START,
        server_header=False,
        # Its lines hold the address, and so the variables of a GET; there are better ones.
        access_log=False,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {f"GQL_{name.upper()}": str(value) for name, value in settings.model_dump(mode="json").items()}
