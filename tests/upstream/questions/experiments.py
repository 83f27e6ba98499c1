"""Questions about experiments, and about the keys and the best run of one."""

from json import dumps

from tests.upstream.questions.answers import Answers, Question, counted, each_search, nodes
from tests.upstream.scripts.searches import EXPERIMENT_ORDERS

FIELDS = "experimentId name artifactLocation lifecycleStage createdAt updatedAt tags { key value }"


def experiments(answers: Answers) -> Question:
    """Ask for every experiment with its tags."""
    document = (
        f"{{ experiments(view: ALL, orderBy: {{attribute: EXPERIMENT_ID}}) {{ nodes {{ {FIELDS} }} }} }}"
    )
    return Question(document, {"experiments": nodes(answers["experiments"])})


def experiment_views(answers: Answers) -> Question:
    """Ask for the experiments of each view."""
    return each_search(answers["experiment_views"], "experiments(view: {})".format)


def experiment_counts(answers: Answers) -> Question:
    """Ask how many experiments each view has."""
    return counted(answers["experiment_views"], "experiments(view: {})".format)


def experiment_filters(answers: Answers) -> Question:
    """Ask with each of MLflow's filters."""
    return each_search(
        answers["experiment_filters"], lambda text: f"experiments(filter: {dumps(text, ensure_ascii=False)})"
    )


def experiment_orders(answers: Answers) -> Question:
    """Ask in each order."""
    return each_search(
        answers["experiment_orders"], lambda text: f"experiments(orderBy: {EXPERIMENT_ORDERS[text]})"
    )


def experiment_lookups(answers: Answers) -> Question:
    """Ask for one by name, a deleted one by id, and one that does not exist."""
    deleted = answers.experiment_id("abandoned")
    document = f"""{{
      sweep: experiment(name: "sweep") {{ {FIELDS} }}
      deleted: experiment(experimentId: "{deleted}") {{ {FIELDS} }}
      unknown: experiment(experimentId: "999") {{ name }}
    }}"""
    by_name = {each["name"]: each for each in answers["experiments"]}
    return Question(document, {"sweep": by_name["sweep"], "deleted": by_name["abandoned"], "unknown": None})


def keys(answers: Answers) -> Question:
    """Ask for the keys of the active runs of an experiment."""
    runs = answers.active_runs("sweep")
    document = '{ experiment(name: "sweep") { metricKeys paramKeys tagKeys } }'
    found = {
        f"{name}Keys": sorted({each["key"] for run in runs for each in run[f"{name}s"]})
        for name in ("metric", "param", "tag")
    }
    return Question(document, {"experiment": found})


def best_runs(answers: Answers) -> Question:
    """Ask for the finished run with the highest and the lowest value of a metric."""
    document = """{ experiment(name: "sweep") {
      highest: bestRun(metric: "loss") { name } lowest: bestRun(metric: "loss", goal: MINIMIZE) { name }
      none: bestRun(metric: "no such metric") { name }
    } }"""
    losses = {
        run["name"]: metric["value"]
        for run in answers.active_runs("sweep")
        for metric in run["metrics"]
        if metric["key"] == "loss" and run["status"] == "FINISHED"
    }
    best = {"highest": max(losses, key=losses.__getitem__), "lowest": min(losses, key=losses.__getitem__)}
    return Question(document, {"experiment": {each: {"name": best[each]} for each in best} | {"none": None}})


QUESTIONS = (
    experiments,
    experiment_views,
    experiment_counts,
    experiment_filters,
    experiment_orders,
    experiment_lookups,
    keys,
    best_runs,
)
