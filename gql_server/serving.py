"""Start the server: check the configuration, bind the socket, run one process or several workers."""

import asyncio
import gc
import importlib.util
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
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
from gql_server.http.parsers.choice import http_protocol
from gql_server.http.parsers.websocket_protocol import BoundedWebSocketProtocol
from gql_server.observability.access_log import log_to_stderr
from gql_server.observability.tracing import set_up_tracing
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.runtime.allocator import return_large_buffers
from gql_server.runtime.parent_process import stop_with_parent
from gql_server.runtime.temporary_folder import (
    delete_abandoned_folders,
    shared_temporary_folder,
    use_shared_folder,
)
from gql_server.stores.factory import store_from
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import kind_of
from schema.ports.errors import StoreTimeout, StoreUnavailable
from schema.ports.store_kind import StoreKind

_BACKLOG = 2048
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_GC_THRESHOLDS = (10_000, 10, 25)
"""A long answer makes some 30,000 objects, none of them in a cycle. With Python's own thresholds every third
such answer caused a full collection, which took 20 ms of the event loop."""
_WORKER_START_SECONDS = 60
"""Seconds in which a worker must pass its first health check.

Importing MLflow takes longer than uvicorn's default of five seconds.
"""

_log = logging.getLogger(__name__)


class StartupError(Exception):
    """The server cannot start; the message names the error and how to fix it."""


class _WorkerSupervisor(Multiprocess):
    """uvicorn's supervisor, which notices at once when a worker dies during a health check.

    uvicorn waits for the reply on a pipe. While this process has the worker's end of the pipe open, the
    death of the worker does not close it, and the supervisor waits for the whole timeout.
    """

    def keep_subprocess_alive(self) -> None:
        """Replace each worker that has died."""
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()


def serve_forever(settings: Settings, announce: Callable[[str], str] | None = None) -> None:
    """Check the configuration, listen, and serve until a signal stops the process.

    Prints the URL once the socket is bound, or the text that `announce` returns for it. Raises StartupError.
    A store that is down does not prevent the start: `/readyz` returns 503 until it is up.
    """
    _check_schema_package()
    _check_requests(settings)
    _check_cache(settings)
    asyncio.run(_check_store(settings))
    listener = _bind(settings)
    _warn_of_unserved_folders(settings)
    delete_abandoned_folders()
    url = f"http://{_printable(settings.host)}:{listener.getsockname()[1]}/graphql"
    click.echo(announce(url) if announce else f"Serving {url}")
    # After an orderly shutdown uvicorn raises the interrupt again.
    with suppress(KeyboardInterrupt):
        if settings.workers > 1:
            _run_workers(settings, listener)
        else:
            uvicorn.Server(_config(settings)).run(sockets=[listener])


def worker_app(settings: Settings | None = None) -> Starlette:
    """Return the application of one process; a worker reads its settings from the environment."""
    return_large_buffers()
    if settings is None:
        stop_with_parent()
        use_shared_folder(Path(os.environ[_METRICS_FOLDER]))
    set_up_tracing()
    settings = settings or Settings()
    if settings.access_log:
        log_to_stderr()
    app = create_app(settings)
    # The objects made so far live as long as the process, so that the collector can skip them.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    return app


def _run_workers(settings: Settings, listener: socket.socket) -> None:
    # Workers are new processes, which read the settings from the environment.
    os.environ.update(_environment(settings))
    # Workers share their metrics through files, so that each can serve the metrics of all.
    with shared_temporary_folder("metrics") as folder:
        os.environ[_METRICS_FOLDER] = str(folder)
        _WorkerSupervisor(_config(settings), sockets=[listener]).run()


def _check_schema_package() -> None:
    """Raise StartupError if another distribution's package `schema` shadows this project's."""
    expected = Path(__file__).parent.parent / "schema" / "build.py"
    spec = importlib.util.find_spec("schema.build")
    if spec is None or spec.origin is None or not expected.exists() or not expected.samefile(spec.origin):
        message = (
            f"the package `schema` at {Path(schema.__file__ or '?').parent} belongs to another distribution, "
            "which is installed in the same environment; install mlflow-gql-server in a separate environment."
        )
        raise StartupError(message)


def _check_requests(settings: Settings) -> None:
    if settings.auth == "off" and not settings.allow_anonymous and not settings.is_local_server:
        message = (
            f"with GQL_AUTH=off, listening on {settings.host} gives access without credentials to every "
            "machine that reaches it: set GQL_AUTH (see docs/security.md), or GQL_ALLOW_ANONYMOUS=true to "
            "allow this."
        )
        raise StartupError(message)
    try:
        authenticator_from(settings)
        PersistedDocuments.from_settings(settings)
        rate_limiter_from(settings)
    except ValueError as error:
        raise StartupError(str(error)) from None


def _warn_of_unserved_folders(settings: Settings) -> None:
    is_local_store = kind_of(settings.tracking_uri) in {StoreKind.SQL, StoreKind.FILE}
    if is_local_store and not settings.is_local_server and not settings.artifact_roots:
        _log.warning(
            "artifacts in local folders are not served, because other machines can connect to %s: set "
            "GQL_ARTIFACT_ROOTS to the folders that may be read",
            settings.host,
        )


def _check_cache(settings: Settings) -> None:
    try:
        cache_from(settings)
    except ValueError as error:
        raise StartupError(str(error)) from None
    except ImportError:
        message = "A cache in Redis needs a package: pip install 'mlflow-gql-server[redis]'"
        raise StartupError(message) from None


async def _check_store(settings: Settings) -> None:
    store = store_from(settings)
    try:
        await store.open()
        if settings.writable:
            from gql_server.stores.writes.factory import check_writes  # noqa: PLC0415 - imports MLflow

            await asyncio.to_thread(check_writes, settings)
    except StoreConfigError as error:
        raise StartupError(str(error)) from None
    except (StoreUnavailable, StoreTimeout) as error:
        _log.warning("starting while the store is unavailable: %s", error)
    finally:
        await store.close()


def _bind(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OSError as error:
        message = f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        raise StartupError(message) from None
    listener.set_inheritable(True)
    return listener


def _printable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "gql_server.serving:worker_app" if settings.workers > 1 else partial(worker_app, settings),
        factory=True,
        http=http_protocol(),
        ws=BoundedWebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        # A client that has not responded to a ping at the next one is gone.
        ws_ping_interval=settings.live_keep_alive,
        ws_ping_timeout=settings.live_keep_alive,
        # It takes 40 kB of each connection, as much as all else, and results are short.
        ws_per_message_deflate=False,
        workers=settings.workers,
        log_level=settings.log_level,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        timeout_worker_healthcheck=_WORKER_START_SECONDS,
        server_header=False,
        # uvicorn's access log contains URLs, and with them the variables of GET requests.
        access_log=False,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {f"GQL_{name.upper()}": str(value) for name, value in settings.model_dump(mode="json").items()}
