"""Questions about runs: searches, orders, pages, look-ups, families and groups."""

from json import dumps
from statistics import mean, stdev
from typing import Any

from tests.upstream.questions.answers import (
    Answers,
    Question,
    Record,
    counted,
    each_search,
    named,
    nodes,
    select,
)
from tests.upstream.scripts import searches

LEAVES = (
    *("runId", "name", "status", "lifecycleStage", "userId", "startedAt", "endedAt", "durationSeconds"),
    *("artifactUri", "experimentId"),
)


def runs(answers: Answers) -> Question:
    """Ask for every run with its columns, its params and its tags."""
    fields = f"{' '.join(LEAVES)} params {{ key value }} tags {{ key value }}"
    expected = [select(run, *LEAVES, "params", "tags") for run in answers["runs"]]
    return Question(
        f"{{ {_search(answers, 'view: ALL')} {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)}
    )


def run_views(answers: Answers) -> Question:
    """Ask for the runs of each view."""
    return each_search(answers["run_views"], lambda view: _search(answers, f"view: {view}"))


def run_counts(answers: Answers) -> Question:
    """Ask how many runs match each filter."""
    return counted(answers["run_filters"], lambda text: _search(answers, _filter(text)))


def run_filters(answers: Answers) -> Question:
    """Ask with each of MLflow's filters."""
    return each_search(answers["run_filters"], lambda text: _search(answers, _filter(text)))


def dataset_filters(answers: Answers) -> Question:
    """Ask with each of MLflow's filters about datasets."""
    return each_search(answers["dataset_filters"], lambda text: _search(answers, _filter(text)))


def run_orders(answers: Answers) -> Question:
    """Ask in each order."""
    return each_search(
        answers["run_orders"], lambda text: _search(answers, f"orderBy: [{searches.RUN_ORDERS[text]}]")
    )


def run_conditions(answers: Answers) -> Question:
    """Ask with conditions of the graph's own type."""
    conditions = {
        'metric: [{key: "loss", lt: 0.5}]': _with(answers, "metrics", "loss", lambda value: value < 0.5),
        'param: [{key: "lr", lte: 0.1}]': _with(
            answers, "params", "lr", lambda value: value[0].isdigit() and float(value) <= 0.1
        ),
        'tag: [{key: "kind", ilike: "VIS%"}]': _with(
            answers, "tags", "kind", lambda value: value.casefold().startswith("vis")
        ),
        "status: {in: [FAILED, KILLED]}": [
            run for run in answers.active_runs() if run["status"] in {"FAILED", "KILLED"}
        ],
    }
    found = {text: [run["name"] for run in matching] for text, matching in conditions.items()}
    return each_search(found, lambda text: _search(answers, f"where: {{{text}}}"))


def run_lookups(answers: Answers) -> Question:
    """Ask for a run by id, a deleted one, and one that does not exist."""
    ids = {name: answers.run(name)["runId"] for name in ("grid", "trial-4")}
    document = f"""{{
      found: run(runId: "{ids["grid"]}") {{ name param(key: "lr") tag(key: "team") experiment {{ name }} }}
      deleted: run(runId: "{ids["trial-4"]}") {{ name lifecycleStage }}
      unknown: run(runId: "{32 * "0"}") {{ name }}
    }}"""
    found = {"name": "grid", "param": "0.1", "tag": "vision", "experiment": {"name": "sweep"}}
    deleted = {"name": "trial-4", "lifecycleStage": "DELETED"}
    return Question(document, {"found": found, "deleted": deleted, "unknown": None})


def families(answers: Answers) -> Question:
    """Ask for the parent and the children of each run."""
    names = {run["runId"]: run["name"] for run in answers["runs"]}
    parents = {
        run["name"]: names.get(_values(run, "tags").get("mlflow.parentRunId")) for run in answers["runs"]
    }
    expected = [
        {
            "name": run["name"],
            "parent": {"name": parents[run["name"]]} if parents[run["name"]] else None,
            "children": named(
                [child["name"] for child in answers.active_runs() if parents[child["name"]] == run["name"]]
            ),
        }
        for run in answers.active_runs()
    ]
    fields = "name parent { name } children { nodes { name } }"
    return Question(f"{{ runs {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def groups(answers: Answers) -> Question:
    """Ask for the runs of each optimizer and the statistics of their losses."""
    ids = dumps(answers.experiment_ids())
    document = f"""{{ runGroups(experimentIds: {ids}, groupBy: {{param: "optimizer"}}, metrics: ["loss"]) {{
      key {{ name value }} count metrics {{ key count min max mean stddev }}
    }} }}"""
    expected = [_group(answers, optimizer) for optimizer in ("adam", "sgd", None)]
    return Question(document, {"runGroups": expected})


def _group(answers: Answers, optimizer: str | None) -> Record:
    members = [run for run in answers.active_runs() if _values(run, "params").get("optimizer") == optimizer]
    losses = [_values(run, "metrics")["loss"] for run in members if "loss" in _values(run, "metrics")]
    summary = {
        "key": "loss",
        "count": len(losses),
        "min": min(losses, default=None),
        "max": max(losses, default=None),
        "mean": mean(losses) if losses else None,
        "stddev": stdev(losses) if losses else None,
    }
    key = [{"name": "optimizer", "value": optimizer}]
    return {"key": key, "count": len(members), "metrics": [summary] if losses else []}


def _with(answers: Answers, column: str, key: str, matches: Any) -> list[Record]:
    return [
        run
        for run in answers.active_runs()
        if key in _values(run, column) and matches(_values(run, column)[key])
    ]


def _values(run: Record, column: str) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in run[column]}


def _search(answers: Answers, arguments: str) -> str:
    return f"runs(experimentIds: {dumps(answers.experiment_ids())}, {arguments})"


def _filter(text: str) -> str:
    return f"filter: {dumps(text, ensure_ascii=False)}"


QUESTIONS = (
    runs,
    run_views,
    run_counts,
    run_filters,
    dataset_filters,
    run_orders,
    run_conditions,
    run_lookups,
    families,
    groups,
)
