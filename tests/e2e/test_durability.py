"""Acknowledged writes survive a kill of the server."""

import threading

import httpx
import sqlalchemy
from mlflow import MlflowClient

from gql_server.stores.mlflow.mlflow_sql_store import open_mlflow_sql_store
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.store import Store

CALLS, CALLS_BEFORE_KILL = 1000, 150


class BatchLogger:
    """Logs one batch after another, and records which were acknowledged."""

    def __init__(self, url: str, run_id: str) -> None:
        self.acknowledged: list[int] = []
        self.enough = threading.Event()
        self._url = url
        self._run_id = run_id

    def run(self) -> None:
        """Log until all batches are logged or the connection is lost."""
        text = "mutation ($input: LogBatchInput!) { logBatch(input: $input) { run { runId } } }"
        with httpx.Client(timeout=60) as client:
            for step in range(CALLS):
                metrics = [{"key": f"m{key}", "value": step / 4, "step": step} for key in range(3)]
                input_ = {
                    "runId": self._run_id,
                    "metrics": metrics,
                    "params": [{"key": f"p{step}", "value": str(step)}],
                    "tags": [{"key": "last", "value": str(step)}],
                }
                try:
                    body = {"query": text, "variables": {"input": input_}}
                    result = client.post(f"{self._url}/graphql", json=body).json()
                except (httpx.TransportError, ValueError):
                    return
                assert "errors" not in result
                self.acknowledged.append(step)
                if len(self.acknowledged) == CALLS_BEFORE_KILL:
                    self.enough.set()


def _killed_while_logging(server: RunningServer, run_id: str) -> list[int]:
    logger = BatchLogger(server.url, run_id)
    thread = threading.Thread(target=logger.run)
    thread.start()
    assert logger.enough.wait(120)
    server.process.kill()
    thread.join(60)
    assert not thread.is_alive()
    return logger.acknowledged


def test_kill_loses_no_acknowledged_batch(sqlite_store: Store) -> None:
    """All batches that were acknowledged before a SIGKILL are stored, and complete."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    with running_server("--tracking-uri", sqlite_store.uri, "--writable") as server:
        acknowledged = _killed_while_logging(server, run_id)
    assert CALLS_BEFORE_KILL <= len(acknowledged) < CALLS
    _check(sqlite_store.client, run_id, acknowledged)
    engine = sqlalchemy.create_engine(sqlite_store.uri)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


def _check(client: MlflowClient, run_id: str, acknowledged: list[int]) -> None:
    run = client.get_run(run_id)
    assert {f"p{step}": str(step) for step in acknowledged}.items() <= run.data.params.items()
    assert int(run.data.tags["last"]) >= acknowledged[-1]
    for key in range(3):
        points = {point.step: point.value for point in client.get_metric_history(run_id, f"m{key}")}
        assert {step: step / 4 for step in acknowledged}.items() <= points.items()
        # The batch in progress may be stored or not.
        assert len(points) - len(acknowledged) in {0, 1}


def test_sqlite_syncs_each_commit(sqlite_store: Store) -> None:
    """SQLite syncs each commit to the disk, so that a power failure loses no acknowledged write."""
    store = open_mlflow_sql_store(sqlite_store.uri)
    with store.engine.connect() as connection:
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        full = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    store.engine.dispose()
    assert (journal, full) == ("delete", 2)
