"""The processes of the benchmarks: this server and what it is compared with."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError

import mlflow

from benchmarks.ports import free_port
from tests.upstream.environments import full_python

_START_SECONDS = 90.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.01
_LOG_TAIL = 2000
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Served:
    """A process that listens on a port of this machine."""

    pid: int
    port: int

    @property
    def uri(self) -> str:
        """Its URL, which is the tracking URI of an MLflow server."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def gql_server(
    tracking_uri: str, logs: Path, *options: str, name: str = "gql-server", path: str = "/healthz"
) -> Iterator[Served]:
    """Serve a store with `gql-server serve` and its default settings, except for the options."""
    arguments = ["serve", "--port", "{port}", "--tracking-uri", tracking_uri, *options]
    with serving(name, [sys.executable, "-m", "gql_server.cli", *arguments], path, logs) as served:
        yield served


@contextmanager
def mlflow_server(database_uri: str, logs: Path) -> Iterator[Served]:
    """Serve a database with `mlflow server` and one worker."""
    options = [
        "--workers",
        "1",
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
        "--backend-store-uri",
        database_uri,
    ]
    artifacts = ["--artifacts-destination", str(logs / "artifacts")]
    python = str(full_python(mlflow.__version__))
    command = [python, "-m", "mlflow", "server", *options, *artifacts]
    with serving("mlflow-server", command, "/health", logs) as served:
        yield served


@contextmanager
def static_route(responses: Path, logs: Path) -> Iterator[Served]:
    """Serve the files of a directory from memory, with Starlette and uvicorn."""
    command = [sys.executable, "-m", "benchmarks.static_route", "{port}", str(responses)]
    with serving("static", command, "/healthz", logs) as served:
        yield served


@contextmanager
def least_app(database_uri: str, logs: Path) -> Iterator[Served]:
    """Serve a database with the least application that answers S1 to S3."""
    command = [sys.executable, "-m", "benchmarks.least.app", "{port}", database_uri]
    with serving("least", command, "/healthz", logs) as served:
        yield served


def start_together(
    stack: ExitStack, starting: Mapping[_Key, AbstractContextManager[Served]]
) -> dict[_Key, Served]:
    """Start processes concurrently, since each takes seconds; they stop with the stack."""
    with ThreadPoolExecutor() as pool:
        started = pool.map(stack.enter_context, starting.values())
        return dict(zip(starting, started, strict=True))


@contextmanager
def serving(
    name: str,
    command: list[str],
    path: str,
    logs: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Run a command, of which `{port}` becomes a free port, until the block ends.

    The block begins when a GET of the path has a response that is not an error of the server.
    """
    port = free_port()
    log = logs / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - programs of this project, MLflow and Node
            [part.replace("{port}", str(port)) for part in command],
            cwd=folder,
            env=_environment() | dict(environment or {}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}", log)
        yield Served(process.pid, port)
    finally:
        _stop(process)


def _environment() -> dict[str, str]:
    """Return the environment without settings that would change the results."""
    prefixes = ("GQL_", "MLFLOW_")
    unrelated = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return unrelated | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _responds(url):
            return
        time.sleep(_POLL_SECONDS)
    log_tail = log.read_text(errors="replace")[-_LOG_TAIL:]
    message = f"the process did not start; {log.name} ends with:\n{log_tail}"
    raise RuntimeError(message)


def _responds(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
    except HTTPError as error:
        # PostGraphile rejects GET.
        return error.code < HTTPStatus.INTERNAL_SERVER_ERROR
    except (URLError, OSError):
        return False
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt the process as a user would; kill what is left of its group after the timeout."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
