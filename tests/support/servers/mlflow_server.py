"""A real `mlflow server` that tests start, kill and restart on the same port."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import mlflow
import requests

from tests.support.servers.free_ports import free_port
from tests.upstream.environments import full_python

START_SECONDS = 90.0
_STOP_SECONDS = 10.0


class MlflowServer:
    """An `mlflow server` with one worker over a database, in a separate process group.

    `version` is the MLflow whose migrations made the database; by default it is that of the tests.
    """

    def __init__(
        self,
        database_uri: str,
        folder: Path,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        version: str = mlflow.__version__,
    ) -> None:
        self.database_uri = database_uri
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._extra_options = tuple(options)
        self._version = version
        self._environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it responds; raise an error with the end of its log otherwise."""
        python = full_python(self._version)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [python, "-m", "mlflow", "server", *self._options()],
                cwd=self.folder,
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_healthy(self._process)

    def kill(self) -> None:
        """Kill the server and its workers immediately, as a crash would."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)

    @property
    def _log(self) -> Path:
        return self.folder / "mlflow-server.log"

    def _options(self) -> list[str]:
        artifacts = self.folder / "artifacts"
        return [
            *("--workers", "1", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--backend-store-uri", self.database_uri),
            *("--artifacts-destination", str(artifacts), "--serve-artifacts"),
            *self._extra_options,
        ]

    def _is_healthy(self) -> bool:
        try:
            return requests.get(f"{self.uri}/health", timeout=2).ok
        except requests.RequestException:
            return False

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._is_healthy():
                return
            time.sleep(0.1)
        self.kill()
        log_end = self._log.read_text(errors="replace")[-2000:]
        message = f"mlflow server did not start:\n{log_end}"
        raise RuntimeError(message)
