"""W6: all runs with all of their params and metrics as a data frame, from this server and from MLflow."""

from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from benchmarks.databases import Database
from benchmarks.memory import peak_above_idle
from benchmarks.process import gql_server
from benchmarks.report import Section, Table, ratio
from benchmarks.rounds import Timings, Variant, measure

_PART = "bench-000"
"""MLflow takes minutes for all experiments, so that both are measured on one of them, too."""


def frames(database: Database, directory: Path) -> Section:
    """Measure W6 over a database; raise RuntimeError if the data frames differ."""
    mlflow.set_tracking_uri(database.uri)
    search = partial(mlflow.search_runs, experiment_names=[_PART])
    # Import the modules of both, and open MLflow's store.
    search(max_results=1)
    results: dict[str, pd.DataFrame] = {}

    def keep(name: str, read: Any) -> None:
        results[name] = read()

    with gql_server(database.uri, directory) as served:
        url = f"{served.uri}/tables/runs.parquet?wide=true"
        pd.read_parquet(f"{served.uri}/tables/experiments.parquet")
        variants = {
            "mlflow": Variant(partial(keep, "mlflow", search)),
            "part": Variant(partial(keep, "part", partial(pd.read_parquet, f"{url}&experiment={_PART}"))),
            "all": Variant(partial(keep, "all", partial(pd.read_parquet, url))),
        }
        # Once: the server stores the file for a minute, and a second request would be answered from it.
        timings = measure({name: variants[name] for name in ("mlflow", "part")}, 1, warm=False)
        measured = partial(measure, {"all": variants["all"]}, 1, warm=False)
        peak = peak_above_idle(served.pid, lambda: timings.update(measured()))
    _check(results)
    return Section([_table(database, timings, results, peak)])


def _check(results: dict[str, pd.DataFrame]) -> None:
    ours, theirs = (results[name].set_index("run_id").sort_index() for name in ("part", "mlflow"))
    keys = [name for name in theirs.columns if name.startswith(("params.", "metrics."))]
    if not keys or not ours[keys].equals(theirs[keys]):
        message = "W6: the data frames of this server and of MLflow differ"
        raise RuntimeError(message)


def _table(
    database: Database, timings: dict[str, Timings], results: dict[str, pd.DataFrame], peak: int
) -> Table:
    part, whole = (len(results[name]) for name in ("part", "all"))
    ours, theirs = timings["part"], timings["mlflow"]
    rows = [
        [f"{part:,} runs of one experiment", theirs, ours, ratio(theirs.median / ours.median), ""],
        [f"all {whole:,} runs", "", timings["all"], "", f"{peak / 1e6:,.0f} MB"],
    ]
    sizes = database.sizes
    note = (
        f"pandas reads /tables/runs.parquet?wide=true; mlflow.search_runs reads the same database in the "
        f"process of pandas. Each run has {sizes.params} params and {sizes.metrics} metrics."
    )
    header = ["", "mlflow.search_runs", "runs.parquet", "search_runs / parquet", "peak memory above idle"]
    return Table(f"W6 over {database.kind}: runs to a data frame", header, rows, note)
