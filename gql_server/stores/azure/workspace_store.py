"""The plugin's own stores, with what the service does not have answered here.

All else of them is the plugin's and MLflow's: paths, tokens, entities.
"""

import re
from collections.abc import Sequence
from typing import Any

from azureml.mlflow._store.model_registry.model_registry import AzureMLflowModelRegistry
from azureml.mlflow._store.tracking.store import AzureMLRestStore
from mlflow.entities import LoggedModel, Metric, Param, RunTag
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry import SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT
from mlflow.utils.search_utils import SearchModelUtils, SearchUtils

from gql_server.stores.azure.rest_calls import call
from gql_server.stores.errors import code_of
from schema.ports.errors import LimitExceeded, UnsupportedByStore

METRICS_AT_ONCE = 250
"""Values of metrics in one batch, by the service's limits."""
MOST_MODELS = 10_000
"""Registered models gone through for one search that the service cannot do."""
_MODELS_AT_ONCE = 100
_NO_PROMPTS = re.compile(r"(\bAND\s+)?tags?\.`mlflow\.prompt\.is_prompt`\s*!=\s*'true'", re.IGNORECASE)
_NO_ENDPOINT = "ENDPOINT_NOT_FOUND"


class WorkspaceStore(AzureMLRestStore):  # type: ignore[misc] # the plugin has no types
    """The tracking store of a workspace."""

    def _call_endpoint(
        self,
        api: Any,
        json_body: str | None = None,
        endpoint: str | None = None,
        retry_timeout_seconds: int | None = None,  # noqa: ARG002 - Databricks alone knows it
        response_proto: Any = None,
    ) -> Any:
        methods = self._V3_METHOD_TO_INFO if api in self._V3_APIS else self._METHOD_TO_INFO
        own, method = methods[api]
        proto = api.Response() if response_proto is None else response_proto
        return call(self.get_host_creds(), endpoint or own, method, json_body, proto)

    def rename_experiment(self, _experiment_id: str, _new_name: str) -> None:
        """Raise `UnsupportedByStore`."""
        message = "Azure Machine Learning cannot rename an experiment."
        raise UnsupportedByStore(message)

    def search_logged_models(self, *args: Any, **options: Any) -> PagedList[LoggedModel]:
        """Return no models where the service has none: in a workspace a model is a folder of artifacts."""
        try:
            found: PagedList[LoggedModel] = super().search_logged_models(*args, **options)
        except MlflowException as error:
            if code_of(error) != _NO_ENDPOINT:
                raise
            return PagedList([], None)
        return found

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Log in as many batches as the service wants; params and tags are in the first."""
        super().log_batch(run_id, metrics[:METRICS_AT_ONCE], params, tags)
        for start in range(METRICS_AT_ONCE, len(metrics), METRICS_AT_ONCE):
            super().log_batch(run_id, metrics[start : start + METRICS_AT_ONCE], [], [])


class WorkspaceRegistry(AzureMLflowModelRegistry):  # type: ignore[misc] # nor has it here
    """The model registry of a workspace.

    The service finds registered models by their exact names alone, has no prompts among them, and refuses the
    clause by which MLflow's client leaves prompts out.
    """

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return a page of models; what the service cannot do is done here, over all that there are."""
        text = _NO_PROMPTS.sub("", filter_string or "").strip()
        asked = SearchModelUtils.parse_search_filter(text)
        if order_by is None and all(one["comparator"] == "=" and one["key"] == "name" for one in asked):
            found: PagedList[RegisteredModel] = super().search_registered_models(
                text or None, max_results, None, page_token
            )
            return found
        held = SearchModelUtils.filter(self._every_model(), text)
        ordered = SearchModelUtils.sort(held, order_by or [])
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def _every_model(self) -> list[RegisteredModel]:
        models: list[RegisteredModel] = []
        token: str | None = None
        while len(models) <= MOST_MODELS:
            page = super().search_registered_models(None, _MODELS_AT_ONCE, None, token)
            models.extend(page)
            token = page.token or None
            if token is None:
                return models
        message = f"There are more than {MOST_MODELS:,} registered models, too many to search here."
        raise LimitExceeded(message)

    def _call_endpoint(
        self,
        api: Any,
        json_body: str | None,
        call_all_endpoints: bool = False,  # noqa: FBT001, FBT002 - MLflow's own signature
        extra_headers: dict[str, str] | None = None,
    ) -> Any:
        endpoints: list[tuple[str, str]] = (
            self._get_all_endpoints_from_method(api)
            if call_all_endpoints
            else [self._get_endpoint_from_method(api)]
        )
        for endpoint, method in endpoints[:-1]:
            try:
                return self._ask(api, json_body, endpoint, method, extra_headers)
            except MlflowException as error:
                if code_of(error) != _NO_ENDPOINT:
                    raise
        endpoint, method = endpoints[-1]
        return self._ask(api, json_body, endpoint, method, extra_headers)

    def _ask(self, api: Any, body: str | None, endpoint: str, method: str, headers: Any) -> Any:
        proto = self._get_response_from_method(api)
        return call(self.get_host_creds(), endpoint, method, body, proto, headers)
