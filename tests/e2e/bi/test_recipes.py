"""The recipes of docs/bi.md that tests can run, executed as the page shows them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from mlflow import MlflowClient
from mlflow.entities import Metric

from tests.e2e.test_flat_rows import fill
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.store import Store, copy_template, open_test_store

PAGE = (Path(__file__).parents[3] / "docs" / "bi.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve a store with five runs, which tests do not change."""
    uri = copy_template(sqlite_template, tmp_path_factory.mktemp("bi") / "mlflow.db")
    with open_test_store("sqlite", uri) as store:
        fill(store.client)
        with running_server("--tracking-uri", uri) as server:
            yield server


def recipe(
    heading: str, server: RunningServer, index: int = 0, replacements: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a recipe's Python code with the URL of the server, and return the names that it defined.

    `replacements` maps texts of the recipe to their replacements.
    """
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[index]
    for given, other in {ADDRESS: server.url, **(replacements or {})}.items():
        assert given in code
        code = code.replace(given, other)
    # dlt looks up the module of a function that it decorates.
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(code, f"docs/bi.md {heading}", "exec"), names)  # noqa: S102
    return names


def test_pandas(server: RunningServer) -> None:
    """A data frame of runs has typed columns, from CSV and from Parquet."""
    frame = recipe("pandas", server)["runs"]
    assert len(frame) == 5
    assert str(frame["started_at"].dt.tz) == "UTC"
    assert frame["metrics.loss"].dtype == float
    lines = recipe("pandas", server, 1)["runs"]
    assert list(lines["run_id"]) == list(frame["run_id"])
    assert str(lines["started_at"].dt.tz) == "UTC"


def test_polars(server: RunningServer) -> None:
    """Polars reads CSV, Parquet and Feather by their URL, also lazily, and an Arrow stream whole."""
    names = recipe("polars", server)
    assert names["runs"].height == 5
    assert names["runs"].schema["started_at"] == pl.Datetime
    assert names["losses"].height == 5
    assert names["losses"].columns == ["run_name", "value"]
    assert names["values"].height == 5 * 6 + 4
    assert names["best"].height == 2
    assert names["points"].height == 5 * 6 + 4
    assert names["points"]["value"].is_infinite().sum() == 10


@pytest.mark.parametrize("table", ["runs", "params", "metric_points", "experiments"])
def test_frames_of_all_formats_are_equal(server: RunningServer, table: str) -> None:
    """The first lines of users of polars and pandas read each table in each format, with the same rows."""
    url = f"{server.url}/tables/{table}"
    expected = pl.read_parquet(f"{url}.parquet")
    # CSV has an apostrophe before a value that is a formula.
    keys = [name for name, type_ in expected.schema.items() if type_ == pl.String and name != "value"]
    for frame in (
        pl.read_csv(f"{url}.csv", infer_schema=False),
        pl.scan_csv(f"{url}.csv", infer_schema=False).collect(),
        pl.read_ndjson(f"{url}.ndjson"),
        pl.scan_ndjson(f"{url}.ndjson").collect(),
        pl.read_ipc(f"{url}.feather"),
        pl.scan_ipc(f"{url}.feather").collect(),
        pl.read_parquet(f"{url}.parquet?compression=snappy"),
    ):
        assert frame.columns == expected.columns
        assert frame.select(keys).rows() == expected.select(keys).rows()
    feather = pd.read_feather(f"{url}.feather")
    assert list(feather.columns) == expected.columns
    assert len(feather) == len(pd.read_json(f"{url}.ndjson", lines=True)) == expected.height


def test_duckdb(server: RunningServer) -> None:
    """DuckDB runs SQL over tables from Arrow streams."""
    rows = recipe("DuckDB", server)["rows"]
    assert rows == [("Default", 4, 4), ("other", 1, 1)]


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store the state of dlt and its DuckDB database in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.usefixtures("warehouse")
def test_dlt_loads_incrementally(sqlite_store: Store) -> None:
    """Runs are loaded page by page; a second load gets newer runs, without duplicates."""
    fill(sqlite_store.client)
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        pipeline = recipe("dlt", server, replacements=_PAGES_OF_TWO)["pipeline"]
        assert _loaded(pipeline) == [("run 0", "RUNNING")] + [(f"run {n}", "FINISHED") for n in range(1, 5)]
        client: MlflowClient = sqlite_store.client
        fresh = client.create_run("0", tags={"mlflow.runName": "run 5"}).info.run_id
        client.log_batch(fresh, [Metric("loss", 1.0, 1, 1)])
        pipeline = recipe("dlt", server)["pipeline"]
        assert len(_loaded(pipeline)) == 6
        assert pipeline.last_trace.last_normalize_info.row_counts["runs"] == 2


@pytest.mark.usefixtures("warehouse")
def test_dlt_reloads_runs_until_they_end(sqlite_store: Store) -> None:
    """A run that ends, starts or logs between two loads is loaded again, whenever it was created."""
    client: MlflowClient = sqlite_store.client
    ids = {}
    for number, name in enumerate(["ends", "logs more", "waits", "later than those"]):
        run = client.create_run("0", start_time=1_700_000_000_000 + number, run_name=name)
        ids[name] = run.info.run_id
        client.log_metric(run.info.run_id, "loss", 1.0)
    client.update_run(ids["waits"], "SCHEDULED")
    client.set_terminated(ids["later than those"], end_time=1_700_000_001_000)
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        assert _losses(recipe("dlt", server)["pipeline"])["ends"] == ("RUNNING", False, 1.0)
        for name in ("ends", "logs more", "waits"):
            client.log_metric(ids[name], "loss", 0.5)
        client.set_terminated(ids["ends"])
        pipeline = recipe("dlt", server)["pipeline"]
    assert _losses(pipeline) == {
        "ends": ("FINISHED", True, 0.5),
        "logs more": ("RUNNING", False, 0.5),
        "waits": ("SCHEDULED", False, 0.5),
        "later than those": ("FINISHED", True, 1.0),
    }
    assert pipeline.last_trace.last_normalize_info.row_counts["runs"] == 3


@pytest.mark.usefixtures("warehouse")
def test_dlt_retries_a_failed_load(sqlite_store: Store) -> None:
    """An error beside the data fails the load, and the next load starts at the same position."""
    fill(sqlite_store.client)
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        with pytest.raises(PipelineStepFailed, match="Invalid clause"):
            recipe("dlt", server, replacements={"  runs(first": f"  {_FAILING}\n  runs(first"})
        assert len(_loaded(recipe("dlt", server)["pipeline"])) == 5


_FAILING = 'experiment(name: "Default") { runs(filter: "((") { totalCount } }'
_PAGES_OF_TWO = {'"first": 500': '"first": 2'}


def _loaded(pipeline: Any) -> list[tuple[str, str]]:
    with pipeline.sql_client() as client:
        rows: list[tuple[str, str]] = client.execute_sql("SELECT name, status FROM runs ORDER BY name")
        return rows


def _losses(pipeline: Any) -> dict[str, tuple[str, bool, float]]:
    with pipeline.sql_client() as client:
        rows = client.execute_sql(
            "SELECT name, status, ended_at IS NOT NULL, value FROM runs"
            " JOIN runs__metrics AS m ON m._dlt_parent_id = runs._dlt_id"
        )
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: (status, ended, loss) for name, status, ended, loss in rows}


def test_each_recipe_states_how_it_was_verified() -> None:
    """Each recipe states whether tests run it, or which source describes it."""
    sections = re.split(r"\n## ", PAGE)[1:]
    tools = [
        section
        for section in sections
        if not section.startswith(("Interfaces", "Incremental loads", "Which recipes are tested"))
    ]
    assert len(tools) == 9
    for section in tools:
        assert re.search(r"^\*(Tested|Not tested)[.:]", section, re.MULTILINE), section[:40]
