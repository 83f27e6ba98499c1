"""Records of the store in memory: fixed records, and strategies for valid and for corrupted records."""

import copy
import re
from typing import Any

from graphql import GraphQLError
from hypothesis import strategies as st

from schema.ports.errors import NotFound
from tests.support.schema.memory_tracking import MemoryTracking, Record

KEYS = ("a", "b", "loss")
EXPERIMENT_IDS = ("0", "1", "2")
_MAX_MS = 2**63 - 1


def point(step: int = 0, **changes: Any) -> Record:
    """Return a point of a history."""
    return {"step": step, "timestamp": 1000 * step, "value": step / 2, "non_finite": None} | changes


def metric(run_id: str, key: str = "loss", **changes: Any) -> Record:
    """Return a metric of a run, with a history of two points."""
    return {"run_id": run_id, "key": key, **point(1), "points": [point(0), point(1)]} | changes


def dataset(**changes: Any) -> Record:
    """Return a dataset."""
    names = ("name", "digest", "source_type", "source", "schema", "profile", "context")
    return dict.fromkeys(names) | {"name": "data", "digest": "d1", "context": "training"} | changes


def files() -> list[Record]:
    """Return a file, and a folder with a file in it."""
    entries = [("a b.txt", False, 3), ("plots", True, None), ("plots/loss.png", False, 2**40)]
    return [dict(zip(("path", "is_dir", "size"), entry, strict=True)) for entry in entries]


def model(model_id: str, source_run_id: str | None = None, **changes: Any) -> Record:
    """Return a logged model with a param, a tag, a metric and files."""
    measured = {"dataset_name": "data", "dataset_digest": None}
    return {
        "model_id": model_id,
        "experiment_id": "0",
        "name": f"model {model_id}",
        "status": "READY",
        "model_type": None,
        "created_at": 1_000,
        "updated_at": None,
        "artifact_location": "there",
        "source_run_id": source_run_id,
        "params": [{"key": "a", "value": "1"}],
        "tags": [],
        "metrics": [metric(source_run_id or "") | measured],
        "files": files(),
    } | changes


def version(name: str, number: str, **changes: Any) -> Record:
    """Return a version of a registered model, with a tag."""
    return {
        "name": name,
        "version": number,
        "stage": None,
        "status": "READY",
        "description": None,
        "source": "models:/m-1",
        "created_at": 1_000,
        "updated_at": 2_000,
        "source_run_id": None,
        "logged_model_id": None,
        "tags": [{"key": "a", "value": "new"}],
    } | changes


def registered(name: str = "net", **changes: Any) -> Record:
    """Return a registered model with two versions, an alias and a tag."""
    return {
        "name": name,
        "description": "a model",
        "created_at": 1_000,
        "updated_at": None,
        "tags": [{"key": "a", "value": "x"}],
        "aliases": [{"alias": "best", "version": "2"}],
        "versions": [version(name, "2"), version(name, "1")],
    } | changes


def run(run_id: str, experiment_id: str = "0", **changes: Any) -> Record:
    """Return a run with a param, a tag and a metric."""
    return {
        "run_id": run_id,
        "experiment_id": experiment_id,
        "name": f"run {run_id}",
        "status": "FINISHED",
        "lifecycle_stage": "ACTIVE",
        "user_id": "ada",
        "started_at": 1_000,
        "ended_at": 2_500,
        "artifact_uri": None,
        "params": [{"key": "a", "value": "0.1"}],
        "tags": [{"key": "a", "value": "blue"}],
        "metrics": [metric(run_id)],
        "datasets": [dataset()],
        "files": files(),
    } | changes


def runs(experiment_id: str, count: int) -> list[Record]:
    """Return `count` runs of an experiment."""
    return [run(f"{experiment_id}.{number}", experiment_id) for number in range(count)]


def experiment(experiment_id: str = "0", **changes: Any) -> Record:
    """Return an experiment with a tag and two runs."""
    return {
        "experiment_id": experiment_id,
        "name": f"experiment {experiment_id}",
        "artifact_location": "here",
        "lifecycle_stage": "ACTIVE",
        "created_at": 1_700_000_000_123,
        "updated_at": None,
        "tags": [{"key": "a", "value": "red"}],
        "runs": runs(experiment_id, 2),
        "models": [],
    } | changes


def experiments(count: int, run_count: int) -> list[Record]:
    """Return `count` experiments with `run_count` runs each."""
    return [experiment(str(number), runs=runs(str(number), run_count)) for number in range(count)]


class UnknownType:
    """A value that is of no scalar's Python type, but can be converted to text."""

    def __str__(self) -> str:
        """Return the text that String and ID serialize it to."""
        return "odd"

    __repr__ = __str__


INVALID_VALUES: tuple[Any, ...] = (
    None,
    float("nan"),
    float("inf"),
    -1,
    5,
    2.0,
    2**70,
    True,
    "BOGUS",
    "",
    [1],
    UnknownType(),
    ValueError("an error as an item"),
    NotFound("a public error as an item"),
    GraphQLError("a GraphQL error as an item"),
)
"""Values that some leaf types accept and others do not, and errors."""

_RUNS: tuple[Record, ...] = (
    {"params": [], "tags": [], "metrics": [], "datasets": [], "files": []},
    {"name": None, "status": "RUNNING", "started_at": None, "ended_at": None, "lifecycle_stage": "DELETED"},
    {"name": "ünï \u2028", "status": "KILLED", "started_at": -(2**63), "ended_at": _MAX_MS},
    {"params": [{"key": "a", "value": ""}, {"key": "loss", "value": '"'}], "artifact_uri": "there"},
)
_METRICS: tuple[Record, ...] = (
    {},
    {"points": []},
    {"value": None, "non_finite": "NAN", "points": [point(0, value=None, non_finite="NEGATIVE_INFINITY")]},
    {"step": 2**63 - 1, "points": [point(-1), point(-1, value=1e308), point(2, value=5e-324, timestamp=-1)]},
)
_EXPERIMENTS: tuple[Record, ...] = (
    {},
    {"artifact_location": None, "created_at": None, "updated_at": 0, "tags": []},
    {"name": "", "lifecycle_stage": "DELETED", "created_at": _MAX_MS, "tags": [{"key": "b", "value": "x"}]},
)


@st.composite
def _run(draw: st.DrawFn, run_id: str, experiment_id: str) -> Record:
    metrics = {
        key: draw(st.sampled_from(_METRICS)) for key in draw(st.sampled_from([(), KEYS[2:], KEYS[1:]]))
    }
    logged = [metric(run_id, key, **changes) for key, changes in metrics.items()]
    return run(run_id, experiment_id, **{"metrics": logged} | draw(st.sampled_from(_RUNS)))


@st.composite
def valid_records(draw: st.DrawFn) -> list[Record]:
    """Generate records that a real store may have."""
    records = []
    for experiment_id in EXPERIMENT_IDS[: draw(st.sampled_from([2, 1, 3, 0]))]:
        changes = draw(st.sampled_from(_EXPERIMENTS))
        run_ids = [f"{experiment_id}.{number}" for number in range(draw(st.sampled_from([2, 1, 3, 0])))]
        generated = [draw(_run(run_id, experiment_id)) for run_id in run_ids]
        models = [model(f"m-{run_id}", run_id, experiment_id=experiment_id) for run_id in run_ids[:2]]
        records.append(experiment(experiment_id, runs=generated, models=models, **changes))
    # A copy shares no lists between records, so that each can be corrupted alone.
    return copy.deepcopy(records)


def _leaves(value: Any) -> list[tuple[Record, str]]:
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    here = [(value, name) for name, item in value.items() if not isinstance(item, list)]
    return here + [leaf for item in value.values() if isinstance(item, list) for leaf in _leaves(item)]


@st.composite
def corrupted_records(draw: st.DrawFn, text: str = "") -> list[Record]:
    """Generate records with invalid values, in columns that the query `text` reads if there are any."""
    records = draw(valid_records())
    leaves = _leaves(records)
    selected = [leaf for leaf in leaves if re.search(rf"\b{_camel(leaf[1])}", text)]
    for _ in range(draw(st.sampled_from([1, 2, 4, 8])) if leaves else 0):
        record, name = draw(st.sampled_from(selected or leaves))
        record[name] = draw(st.sampled_from(INVALID_VALUES))
    return records


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


_REGISTERED: tuple[list[Record], ...] = (
    [],
    [registered(), registered("other", versions=[], aliases=[], tags=[])],
    [registered(versions=[version("net", "3", source_run_id="0.0", logged_model_id="m-0.0")])],
    [registered(versions=[version("net", "1", source_run_id="gone", logged_model_id="gone")])],
)

_METHODS = [
    "experiments",
    "count_experiments",
    "experiments_by_id",
    "experiments_by_name",
    "experiment_tags",
    "runs",
    "count_runs",
    "runs_by_id",
    "params",
    "tags",
    "metrics",
    "histories",
    "models.datasets",
    "models.of_runs",
    "models.of_experiments",
    "models.by_id",
    "models.params",
    "models.metrics",
    "registry.models",
    "registry.models_by_name",
    "registry.aliases",
    "registry.versions",
    "registry.versions_by_key",
    "registry.versions_of_runs",
    "registry.version_tags",
    "artifacts.listings",
]
_FAILURES = (NotFound("a public error of a port"), RuntimeError("an error of a port"))


@st.composite
def stores(draw: st.DrawFn, records: st.SearchStrategy[list[Record]]) -> MemoryTracking:
    """Generate stores that differ in the related data they include and in the pauses of their methods."""
    pauses = st.dictionaries(st.sampled_from(_METHODS), st.integers(1, 5), max_size=3)
    registry = copy.deepcopy(draw(st.sampled_from(_REGISTERED)))
    return MemoryTracking(
        draw(records), include_related=draw(st.booleans()), pauses=draw(pauses), registered=registry
    )


@st.composite
def failing_stores(draw: st.DrawFn) -> MemoryTracking:
    """Generate stores with valid records, some of whose methods fail."""
    store = draw(stores(valid_records()))
    store.failing = draw(
        st.dictionaries(st.sampled_from(_METHODS), st.sampled_from(_FAILURES), min_size=1, max_size=4)
    )
    return store
