"""Print what the client answers about a store, as JSON: `python -m tests.upstream.scripts.answer URI`.

The searches are those of `searches`, their answers are names. What this MLflow lacks is an empty list, as the
graph answers.
"""

import json
import sys
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

from tests.upstream.scripts import searches, terms

_VIEWS = {
    "ACTIVE": ViewType.ACTIVE_ONLY,
    "DELETED": ViewType.DELETED_ONLY,
    "ALL": ViewType.ALL,
}


class Answers:
    """Asks one client. The methods without an underscore are the keys of the JSON."""

    def __init__(self, uri: str) -> None:
        mlflow.set_tracking_uri(uri)
        self._client: Any = MlflowClient(uri, uri)
        everything = self._client.search_experiments(ViewType.ALL, order_by=["experiment_id ASC"])
        self._experiments: list[Any] = list(everything)
        self._ids = [experiment.experiment_id for experiment in everything]

    def experiments(self) -> list[terms.Record]:
        """Return all experiments, by id."""
        return [terms.experiment(each) for each in self._experiments]

    def runs(self) -> list[terms.Record]:
        """Return all runs in the default order."""
        found = self._client.search_runs(self._ids, "", ViewType.ALL)
        return [terms.run(each, self._metrics(each)) for each in found]

    def run_views(self) -> dict[str, list[str]]:
        """Return the runs in each view."""
        return {name: self._search(view=view) for name, view in _VIEWS.items()}

    def run_filters(self) -> dict[str, list[str]]:
        """Return the active runs that match each filter."""
        return {each: self._search(each) for each in searches.RUN_FILTERS}

    def dataset_filters(self) -> dict[str, list[str]]:
        """Return the active runs that match each filter about datasets."""
        known = hasattr(self._client, "log_inputs")
        return {each: self._search(each) if known else [] for each in searches.DATASET_FILTERS}

    def run_orders(self) -> dict[str, list[str]]:
        """Return the active runs in each order."""
        return {each: self._search(order=each.split(", ")) for each in searches.RUN_ORDERS}

    def run_pages(self) -> list[list[str]]:
        """Return the pages of all active runs. Before 3.10 an empty page follows a full one."""
        pages: list[list[str]] = []
        token = None
        while token or not pages:
            page = self._client.search_runs(self._ids, max_results=searches.PAGE, page_token=token)
            pages.append(_names(page))
            token = page.token
        return [page for page in pages if page]

    def experiment_views(self) -> dict[str, list[str]]:
        """Return the experiments in each view, in the default order."""
        return {name: _names(self._client.search_experiments(view)) for name, view in _VIEWS.items()}

    def experiment_filters(self) -> dict[str, list[str]]:
        """Return the active experiments that match each filter."""
        search = self._client.search_experiments
        return {each: _names(search(filter_string=each)) for each in searches.EXPERIMENT_FILTERS}

    def experiment_orders(self) -> dict[str, list[str]]:
        """Return the active experiments in each order."""
        search = self._client.search_experiments
        return {each: _names(search(order_by=[each])) for each in searches.EXPERIMENT_ORDERS}

    def registered_models(self) -> list[terms.Record]:
        """Return the registered models that are no prompts, by name."""
        client = self._client
        models = [client.get_registered_model(name) for name in self._models(None)]
        return [
            terms.registered_model(model, client.search_model_versions(f"name = '{model.name}'"))
            for model in models
        ]

    def model_filters(self) -> dict[str, list[str]]:
        """Return the registered models that match each filter."""
        return {each: self._models(each) for each in searches.MODEL_FILTERS}

    def prompts(self) -> list[str]:
        """Return the registered models that are prompts."""
        known = hasattr(self._client, "register_prompt")
        return self._models(searches.IS_PROMPT) if known else []

    def logged_models(self) -> list[terms.Record]:
        """Return the logged models, the newest first."""
        if not hasattr(self._client, "search_logged_models"):
            return []
        found = self._client.search_logged_models(self._ids)
        return [terms.logged_model(each) for each in found]

    def output_models(self) -> dict[str, list[str]]:
        """Return the ids of the models that are outputs of each run."""
        # Before 3.10 a search does not return them.
        found = self._client.search_runs(self._ids, "", ViewType.ALL)
        outputs = {
            run.info.run_name: getattr(self._client.get_run(run.info.run_id), "outputs", None)
            for run in found
        }
        return {
            name: [output.model_id for output in each.model_outputs]
            for name, each in outputs.items()
            if each and each.model_outputs
        }

    def artifacts(self) -> dict[str, list[str]]:
        """Return the paths of the files of each active run, where the artifacts are in local folders."""
        return {
            run.info.run_name: [
                each.path
                for folder in self._client.list_artifacts(run.info.run_id)
                for each in self._client.list_artifacts(run.info.run_id, folder.path)
            ]
            for run in self._client.search_runs(self._ids)
            if run.info.artifact_uri.startswith(("/", "file:"))
        }

    def _metrics(self, run: Any) -> list[terms.Record]:
        history = self._client.get_metric_history
        return [terms.metric(key, history(run.info.run_id, key)) for key in sorted(run.data.metrics)]

    def _search(self, text: str = "", order: Any = None, view: int = ViewType.ACTIVE_ONLY) -> list[str]:
        return _names(self._client.search_runs(self._ids, text, view, order_by=order))

    def _models(self, text: str | None) -> list[str]:
        return _names(self._client.search_registered_models(text, order_by=["name ASC"]))


def _names(found: Any) -> list[str]:
    return [each.info.run_name if hasattr(each, "info") else each.name for each in found]


if __name__ == "__main__":
    answers = Answers(sys.argv[1])
    public = [name for name in vars(Answers) if not name.startswith("_")]
    json.dump({name: getattr(answers, name)() for name in public}, sys.stdout, ensure_ascii=False, indent=1)
