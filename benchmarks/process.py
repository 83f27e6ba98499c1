"""The processes of the benchmarks: this server, a real `mlflow server` and the static route."""

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
from pathlib import Path
from urllib.error import URLError

import mlflow

from benchmarks.ports import free_port
from tests.upstream.environments import full_python

_START_SECONDS = 90.0
_STOP_SECONDS = 15.0
_LOG_TAIL = 2000


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
def gql_server(tracking_uri: str, logs: Path) -> Iterator[Served]:
    """Serve a store with `gql-server serve` and its default settings."""
    options = ["serve", "--port", "{port}", "--tracking-uri", tracking_uri]
    with _serving("gql-server", ["-m", "gql_server.cli", *options], "/healthz", logs) as served:
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
    command = ["-m", "mlflow", "server", *options, *artifacts]
    with _serving("mlflow-server", command, "/health", logs, full_python(mlflow.__version__)) as served:
        yield served


@contextmanager
def static_route(responses: Path, logs: Path) -> Iterator[Served]:
    """Serve the files of a directory from memory, with Starlette and uvicorn."""
    with _serving(
        "static", ["-m", "benchmarks.static_route", "{port}", str(responses)], "/healthz", logs
    ) as served:
        yield served


def start_together(
    stack: ExitStack, starting: Mapping[str, AbstractContextManager[Served]]
) -> dict[str, Served]:
    """Start processes concurrently, since each takes seconds; they stop with the stack."""
    with ThreadPoolExecutor() as pool:
        started = pool.map(stack.enter_context, starting.values())
        return dict(zip(starting, started, strict=True))


@contextmanager
def _serving(
    name: str, command: list[str], health: str, logs: Path, python: Path = Path(sys.executable)
) -> Iterator[Served]:
    port = free_port()
    arguments = [part.replace("{port}", str(port)) for part in command]
    log = logs / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - programs of this project and MLflow
            [python, *arguments],
            env=_environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{health}", log)
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
        with suppress(URLError, OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
            return
        time.sleep(0.05)
    log_tail = log.read_text(errors="replace")[-_LOG_TAIL:]
    message = f"the process did not start; {log.name} ends with:\n{log_tail}"
    raise RuntimeError(message)


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
