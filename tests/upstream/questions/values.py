"""Questions about what runs logged: metrics and their histories, datasets, comparisons and flat rows."""

from json import dumps
from typing import Any

from tests.upstream.questions.answers import Answers, Question, Record, nodes, select

_POINT = ("step", "timestamp", "value", "nonFinite")
_TEXTS = {"NAN": "NaN", "POSITIVE_INFINITY": "Infinity", "NEGATIVE_INFINITY": "-Infinity"}
_SERIES_FROM = 0


def metrics(answers: Answers) -> Question:
    """Ask for the last value of each metric of each run."""
    fields = f"name metrics {{ key {' '.join(_POINT)} }}"
    expected = [
        {"name": run["name"], "metrics": [select(metric, "key", *_POINT) for metric in run["metrics"]]}
        for run in answers.active_runs()
    ]
    return Question(f"{{ runs {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def histories(answers: Answers) -> Question:
    """Ask for each point of each metric of each run."""
    fields = f"name metrics {{ key history {{ {' '.join(_POINT)} }} }}"
    expected = [
        {"name": run["name"], "metrics": [select(metric, "key", "history") for metric in run["metrics"]]}
        for run in answers.active_runs()
    ]
    return Question(f"{{ runs {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def series(answers: Answers) -> Question:
    """Ask for the points of one metric as arrays, from a step on."""
    fields = f'name metric(key: "loss") {{ series(fromStep: {_SERIES_FROM}) {{ steps timestamps values }} }}'
    expected = [{"name": run["name"], "metric": _series(run, "loss")} for run in answers.active_runs()]
    return Question(f"{{ runs {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def samples(answers: Answers) -> Question:
    """Ask for two points of each curve: they are its first and its last."""
    fields = 'name metric(key: "loss") { history(maxPoints: 2) { step value } }'
    expected = [
        {"name": run["name"], "metric": {"history": [select(each, "step", "value") for each in _ends(run)]}}
        for run in answers.active_runs()
        if _ends(run)
    ]
    where = 'where: {metric: [{key: "loss", isNull: false}]}'
    return Question(f"{{ runs({where}) {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def datasets(answers: Answers) -> Question:
    """Ask for the datasets that each run used."""
    fields = "name datasets { name digest sourceType source schema profile context }"
    expected = [select(run, "name", "datasets") for run in answers.active_runs()]
    return Question(f"{{ runs {{ nodes {{ {fields} }} }} }}", {"runs": nodes(expected)})


def comparison(answers: Answers) -> Question:
    """Ask for the params and metrics of two runs side by side."""
    compared = [answers.run(name) for name in ("grid", "trial-1")]
    document = f"""{{ compareRuns(runIds: {dumps([run["runId"] for run in compared])}) {{
      runs {{ name }} params {{ key differs values }} metrics {{ key differs values }}
    }} }}"""
    expected = {"runs": [select(run, "name") for run in compared]} | {
        column: _side_by_side(compared, column) for column in ("params", "metrics")
    }
    return Question(document, {"compareRuns": expected})


def rows(answers: Answers) -> Question:
    """Ask for runs, params and points as flat rows."""
    document = """{
      experimentRows { experimentId name lifecycleStage createdAt updatedAt }
      runRows { runId experimentId experimentName runName status lifecycleStage userId startedAt endedAt }
      paramRows { runId experimentId key value }
      tagRows { runId experimentId key value }
      metricRows { runId experimentId key valueText step timestamp }
      metricPointRows { runId experimentId key valueText step timestamp }
    }"""
    experiments = [each for each in answers["experiments"] if each["lifecycleStage"] == "ACTIVE"]
    experiments.sort(key=lambda each: (each["createdAt"], -int(each["experimentId"])), reverse=True)
    names = {each["experimentId"]: each["name"] for each in experiments}
    columns = ("experimentId", "name", "lifecycleStage", "createdAt", "updatedAt")
    expected = {
        "experimentRows": [select(each, *columns) for each in experiments],
        "runRows": [_run_row(run, names) for run in answers.active_runs()],
        "paramRows": _pair_rows(answers, "params"),
        "tagRows": _pair_rows(answers, "tags"),
        "metricRows": _point_rows(answers, lambda metric: [metric]),
        "metricPointRows": _point_rows(answers, lambda metric: metric["history"]),
    }
    return Question(document, expected)


def _series(run: Record, key: str) -> Record | None:
    for metric in run["metrics"]:
        if metric["key"] == key:
            points = [point for point in metric["history"] if point["step"] >= _SERIES_FROM]
            columns = {"steps": "step", "timestamps": "timestamp", "values": "value"}
            return {"series": {name: [point[of] for point in points] for name, of in columns.items()}}
    return None


def _ends(run: Record) -> list[Record]:
    for metric in run["metrics"]:
        if metric["key"] == "loss":
            history = metric["history"]
            return [history[0], history[-1]] if len(history) > 1 else [history[0]]
    return []


def _side_by_side(compared: list[Record], column: str) -> list[Record]:
    values = [{each["key"]: each["value"] for each in run[column]} for run in compared]
    return [
        {
            "key": key,
            "differs": len({each.get(key) for each in values}) > 1,
            "values": [each.get(key) for each in values],
        }
        for key in sorted({key for each in values for key in each})
    ]


def _run_row(run: Record, names: dict[str, str]) -> Record:
    columns = ("runId", "experimentId", "status", "lifecycleStage", "userId", "startedAt", "endedAt")
    return select(run, *columns) | {"experimentName": names[run["experimentId"]], "runName": run["name"]}


def _pair_rows(answers: Answers, column: str) -> list[Record]:
    return [
        select(run, "runId", "experimentId") | each for run in answers.active_runs() for each in run[column]
    ]


def _point_rows(answers: Answers, points: Any) -> list[Record]:
    return [
        select(run, "runId", "experimentId")
        | {"key": metric["key"], "valueText": _text(point)}
        | select(point, "step", "timestamp")
        for run in answers.active_runs()
        for metric in run["metrics"]
        for point in points(metric)
    ]


def _text(point: Record) -> str:
    return _TEXTS[point["nonFinite"]] if point["nonFinite"] else repr(point["value"])


QUESTIONS = (metrics, histories, series, samples, datasets, comparison, rows)
