"""Queries that return the same facts about runs in several ways, and the facts in their responses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mlflow import MlflowClient

from schema.types.node import global_id

Fact: TypeAlias = tuple[str, str]
"""What a value is about: the id of a run or an experiment, and the kind of fact; all values are plain."""
Facts: TypeAlias = list[tuple[Fact, Any]]

POINTS = "points"
"""The kind of the facts that are whole histories."""

FIELDS = {
    "row": "",
    "logged": "params { key value } tags { key value } metrics { key value step }",
    "value": 'metric(key: "m") { value step }',
    "history": 'metric(key: "m") { value step history { step value } }',
    "series": 'metric(key: "m") { series { steps values } }',
    "sample": 'metric(key: "m") { value step sample: series(maxPoints: 2) { steps values } }',
    "late steps": 'metric(key: "m") { late: series(fromStep: 1) { steps values } }',
}
"""Selections of a run, by what they return in addition to its row."""

_VIEW = "runs(experimentIds: [$experiment], view: %s) { totalCount nodes { <run> } }"
WAYS = {
    "run": "run(runId: $run) { <run> }",
    "node": "node(id: $node) { ... on Run { <run> } }",
    "active": _VIEW % "ACTIVE",
    "deleted": _VIEW % "DELETED",
    "all": _VIEW % "ALL",
    "finished": "runs(experimentIds: [$experiment], view: ALL, where: {status: {eq: FINISHED}}) "
    "{ totalCount nodes { <run> } }",
    "experiment": "experiment(experimentId: $experiment) { experimentId name tags { key value } "
    "runs { totalCount nodes { <run> } } }",
    "experiments": "experiments(first: 1000) { nodes { experimentId name } }",
    "children": "run(runId: $parent) { runId children { totalCount nodes { <run> } } }",
    "parent": "run(runId: $run) { runId parent { <run> } }",
    "compared": "compareRuns(runIds: [$run, $parent]) { runs { <run> } params { key values } "
    "metrics { key values } tags { key values } }",
    "run_rows": "runRows { runId runName status lifecycleStage }",
    "metric_rows": 'metricRows(key: "m") { runId value step }',
    "point_rows": 'metricPointRows(key: "m") { runId value step }',
}
"""Root fields; `<run>` stands for a selection of a run."""


@dataclass(frozen=True)
class Subjects:
    """The experiment and the runs that the facts are about; `run` is a child of `parent`."""

    experiment: str
    parent: str
    run: str

    @property
    def runs(self) -> tuple[str, str]:
        """Return the ids of the runs."""
        return self.parent, self.run

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of a document."""
        ids = {"experiment": self.experiment, "parent": self.parent, "run": self.run}
        return ids | {"node": global_id("Run", self.run)}


def document(ways: Sequence[tuple[str, str]]) -> str:
    """Return a document of root fields, each with a selection of runs; both by their names."""
    fields = [
        f"{way}_{number}: {WAYS[way]}".replace(
            "<run>", f"runId name status lifecycleStage {FIELDS[selection]}"
        )
        for number, (way, selection) in enumerate(ways)
    ]
    text = " ".join(fields)
    names = [name for name in ("experiment", "parent", "run", "node") if f"${name}" in text]
    declared = ", ".join(f"${name}: ID!" for name in names)
    return f"query({declared}) {{ {text} }}" if names else f"{{ {text} }}"


def stored_facts(client: MlflowClient, subjects: Subjects) -> dict[Fact, Any]:
    """Return all facts as MLflow's client reads them."""
    experiment = client.get_experiment(subjects.experiment)
    facts: dict[Fact, Any] = {
        (subjects.experiment, "name"): experiment.name,
        (subjects.experiment, "tag"): experiment.tags.get("t"),
    }
    runs = [client.get_run(run_id) for run_id in subjects.runs]
    for run in runs:
        run_id = run.info.run_id
        points = sorted((each.step, each.value) for each in client.get_metric_history(run_id, "m"))
        facts |= {
            (run_id, "name"): run.info.run_name,
            (run_id, "status"): run.info.status,
            (run_id, "stage"): run.info.lifecycle_stage.upper(),
            (run_id, "params"): dict(run.data.params),
            (run_id, "tag"): run.data.tags.get("t"),
            (run_id, "value"): run.data.metrics.get("m"),
            (run_id, "last point"): points[-1] if points else None,
            (run_id, POINTS): points,
            (run_id, "late"): [point for point in points if point[0] >= 1],
        }
    members = {
        "active": {run.info.run_id for run in runs if run.info.lifecycle_stage == "active"},
        "deleted": {run.info.run_id for run in runs if run.info.lifecycle_stage == "deleted"},
        "all": set(subjects.runs),
        "finished": {run.info.run_id for run in runs if run.info.status == "FINISHED"},
    }
    members["children"] = members["active"] & {subjects.run}
    return facts | {("", kind): sorted(ids) for kind, ids in members.items()}


def facts_in(data: dict[str, Any], subjects: Subjects) -> Facts:
    """Return all facts about the subjects in the data of a response."""
    facts: Facts = []
    for alias, value in data.items():
        facts += _facts_of_way(alias.rpartition("_")[0], value, subjects)
    return [(fact, value) for fact, value in facts if fact[0] in {"", subjects.experiment, *subjects.runs}]


def _facts_of_way(way: str, value: Any, subjects: Subjects) -> Iterable[tuple[Fact, Any]]:
    if way.endswith("_rows"):
        return _facts_of_rows(way, [row for row in value if row["runId"] in subjects.runs])
    match way:
        case "run" | "node" | "parent":
            return _facts_of_run(value["parent"] if way == "parent" else value)
        case "experiment":
            return _facts_of_experiment(value)
        case "experiments":
            return [((each["experimentId"], "name"), each["name"]) for each in value["nodes"]]
        case "compared":
            return _facts_of_comparison(value)
    return _facts_of_search(way, value["children"] if way == "children" else value)


def _facts_of_rows(way: str, rows: Any) -> Iterator[tuple[Fact, Any]]:
    if way == "run_rows":
        yield ("", "active"), sorted(row["runId"] for row in rows)
        for row in rows:
            yield from _facts_of_run({**row, "name": row["runName"]})
    elif way == "metric_rows":
        yield from (((row["runId"], "last point"), (row["step"], row["value"])) for row in rows)
    else:
        for run_id in {row["runId"] for row in rows}:
            points = [(row["step"], row["value"]) for row in rows if row["runId"] == run_id]
            yield from _facts_of_points(run_id, points)


def _facts_of_experiment(experiment: Any) -> Iterator[tuple[Fact, Any]]:
    yield (experiment["experimentId"], "name"), experiment["name"]
    yield (experiment["experimentId"], "tag"), _values(experiment["tags"]).get("t")
    yield from _facts_of_search("active", experiment["runs"])


def _facts_of_search(kind: str, connection: Any) -> Iterator[tuple[Fact, Any]]:
    yield ("", kind), sorted(run["runId"] for run in connection["nodes"])
    # The count is a search of its own.
    assert connection["totalCount"] == len(connection["nodes"]), connection
    for run in connection["nodes"]:
        yield from _facts_of_run(run)


def _facts_of_comparison(comparison: Any) -> Iterator[tuple[Fact, Any]]:
    for index, run in enumerate(comparison["runs"]):
        yield from _facts_of_run(run)
        values = {
            kind: {row["key"]: row["values"][index] for row in comparison[kind]}
            for kind in ("params", "metrics", "tags")
        }
        params = {key: value for key, value in values["params"].items() if value is not None}
        yield (run["runId"], "params"), params
        yield (run["runId"], "tag"), values["tags"].get("t")
        yield (run["runId"], "value"), values["metrics"].get("m")


def _facts_of_run(run: Any) -> Iterator[tuple[Fact, Any]]:
    run_id = run["runId"]
    yield (run_id, "name"), run["name"]
    yield (run_id, "status"), run["status"]
    yield (run_id, "stage"), run["lifecycleStage"]
    if "params" in run:
        yield (run_id, "params"), _values(run["params"])
        yield (run_id, "tag"), _values(run["tags"]).get("t")
        yield (run_id, "value"), _values(run["metrics"]).get("m")
    metric = run.get("metric")
    if "metric" in run and metric is None:
        yield (run_id, "last point"), None
    if metric:
        yield from _facts_of_metric(run_id, metric)


def _facts_of_metric(run_id: str, metric: Any) -> Iterator[tuple[Fact, Any]]:
    if "value" in metric:
        yield (run_id, "last point"), (metric["step"], metric["value"])
    if "history" in metric:
        yield from _facts_of_points(run_id, [(each["step"], each["value"]) for each in metric["history"]])
    if "series" in metric:
        yield from _facts_of_points(run_id, _points(metric["series"]))
    if "sample" in metric:
        yield (run_id, "last point"), _points(metric["sample"])[-1]
    if "late" in metric:
        yield (run_id, "late"), _points(metric["late"])


def _facts_of_points(run_id: str, points: list[Any]) -> Iterator[tuple[Fact, Any]]:
    yield (run_id, POINTS), points
    yield (run_id, "late"), [point for point in points if point[0] >= 1]
    yield (run_id, "last point"), points[-1]


def _points(series: Any) -> list[Any]:
    return list(zip(series["steps"], series["values"], strict=True))


def _values(rows: Any) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in rows}
