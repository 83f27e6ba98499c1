"""The searches that both sides run: MLflow's client with its strings, the graph with its arguments."""

from tests.upstream.scripts.determinism import START

RUN_FILTERS = (
    "metrics.loss < 0.5",
    "metrics.loss >= 0.5 and metrics.loss != 3",
    "metrics.`fehler/größe` < 0",
    "params.optimizer = 'adam'",
    "params.optimizer != 'adam'",
    "params.lr LIKE '0.%'",
    'params."größe" = "数値 🚀"',
    "tags.team = 'vision' and attributes.status = 'FINISHED'",
    "tags.kind ILIKE 'VIS%'",
    "tag.schlüssel LIKE '%mit%'",
    "attributes.run_name LIKE 'trial%'",
    "run_name = 'versuch 数 é'",
    "status != 'RUNNING'",
    f"start_time > {START + 10_000} and end_time < {START + 100_000}",
    "user_id = 'ada'",
)
DATASET_FILTERS = (
    "datasets.name = 'train'",
    "dataset.digest IN ('d2')",
    "datasets.context = 'evaluation'",
    "datasets.name = 'validation' and status = 'FINISHED'",
)
"""Filters of MLflow 2.4 and later."""

_NEWEST = " {attribute: STARTED_AT, direction: DESC}"
RUN_ORDERS = {
    "metrics.loss DESC, start_time DESC": '{metric: "loss", direction: DESC}' + _NEWEST,
    "metrics.loss ASC, start_time DESC": '{metric: "loss"}' + _NEWEST,
    "params.optimizer ASC, start_time DESC": '{param: "optimizer"}' + _NEWEST,
    "tags.team DESC, start_time DESC": '{tag: "team", direction: DESC}' + _NEWEST,
    "attributes.start_time ASC": "{attribute: STARTED_AT}",
    "attributes.end_time DESC, start_time DESC": "{attribute: ENDED_AT, direction: DESC}" + _NEWEST,
    "attributes.run_name DESC": "{attribute: NAME, direction: DESC}",
    "status ASC, start_time DESC": "{attribute: STATUS}" + _NEWEST,
}
EXPERIMENT_FILTERS = (
    "name LIKE 's%'",
    "name = 'größe 规模'",
    "name ILIKE 'DEF%'",
    "tags.team = 'vision'",
    "tags.owner != 'Ada'",
    f"creation_time > {START}",
)
EXPERIMENT_ORDERS = {
    "name ASC": "{attribute: NAME}",
    "experiment_id DESC": "{attribute: EXPERIMENT_ID, direction: DESC}",
    "creation_time ASC": "{attribute: CREATED_AT}",
}
MODEL_FILTERS = (
    "name = 'classifier'",
    "name LIKE '%e%'",
    "name ILIKE 'CLASS%'",
    "tags.team = 'vision'",
)
IS_PROMPT = "tags.`mlflow.prompt.is_prompt` = 'true'"
VIEWS = ("ACTIVE", "DELETED", "ALL")
PAGE = 2
"""The number of runs on each page of the paginated search."""
