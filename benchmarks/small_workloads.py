"""The workloads S1 to S3, which dashboards send all day: their documents and variables."""

from collections.abc import Sequence

from benchmarks.dataset import DASHBOARD, Sizes, run_id
from benchmarks.workload import Workload

PAGE = 50
"""The newest runs that S2 and S3 read."""

MAX_POINTS = 200
"""The points of a curve of S3."""

CHARTED = 5
"""The runs whose curves S3 reads."""

CURVE = "metric_00"
"""The metric of the curves."""

PARAMS = {"lr": "param_00", "depth": "param_01", "seed": "param_02"}
METRICS = {"loss": "metric_00", "accuracy": "metric_01", "auc": "metric_02"}
"""The columns of S3's table, by their aliases."""

_VARIATIONS = 100
"""Different requests of S1. Loads send them in turn, so that no request repeats the one before it."""

_RUN = "runId name status startedAt params { key value } metrics { key value step }"
_COLUMNS = "\n    ".join(
    [
        *(f'{alias}: param(key: "{key}")' for alias, key in PARAMS.items()),
        *(f'{alias}: metric(key: "{key}") {{ value }}' for alias, key in METRICS.items()),
    ]
)
S1 = f"""query S1($id: ID!) {{
  run(runId: $id) {{ {_RUN} }}
}}"""
S2 = f"""query S2($experiment: ID!) {{
  runs(experimentIds: [$experiment], first: {PAGE}) {{ nodes {{ {_RUN} }} }}
}}"""
S3 = f"""query S3($name: String!, $charted: [ID!]!) {{
  experiment(name: $name) {{ experimentId name runs(first: {PAGE}) {{ nodes {{
    runId name status startedAt
    {_COLUMNS}
  }} }} }}
  runs(experimentNames: [$name], where: {{ runId: {{ in: $charted }} }}, first: {CHARTED}) {{ nodes {{
    runId name metric(key: "{CURVE}") {{ series(maxPoints: {MAX_POINTS}) {{ steps values }} }}
  }} }}
}}"""
NAMES = ("S1", "S2", "S3")


def small_workloads(sizes: Sizes, experiment_ids: Sequence[int]) -> dict[str, list[Workload]]:
    """Return the requests of S1 to S3: each with other runs or another one of the experiments."""
    pairs = [(experiment, run) for run in range(sizes.runs) for experiment in range(sizes.experiments)]
    newest = range(sizes.dashboard_runs)[-PAGE:]
    charts = [newest[start : start + CHARTED] for start in range(0, len(newest), CHARTED)]
    return {
        "S1": [Workload("S1", S1, {"id": run_id(*pair)}) for pair in pairs[:_VARIATIONS]],
        "S2": [Workload("S2", S2, {"experiment": str(id_)}) for id_ in experiment_ids],
        "S3": [Workload("S3", S3, {"name": DASHBOARD, "charted": _ids(sizes, runs)}) for runs in charts],
    }


def _ids(sizes: Sizes, runs: range) -> list[str]:
    # The experiment of the dashboard is the one after the others.
    return [run_id(sizes.experiments, run) for run in runs]
