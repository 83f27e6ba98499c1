"""The plugin's stores, extended by what the service does not support.

Paths, tokens and entities are the plugin's and MLflow's.
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

from gql_server.stores.azure.rest_calls import call_endpoint
from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.model_filters import MODEL_FILTERS
from gql_server.stores.mlflow.client_errors import code_of
from gql_server.stores.mlflow.model_entity_tables import registered_model_table
from gql_server.stores.pushdown.evaluate import matches
from schema.ports.condition import AllOf, Predicate
from schema.ports.errors import LimitExceeded, UnsupportedByStore

METRICS_PER_BATCH = 250
"""The service's limit of metric values in one batch."""
MAX_SCANNED_MODELS = 10_000
"""Registered models scanned for a search that the service cannot run."""
_MODELS_PER_PAGE = 100
_NO_PROMPTS_CLAUSE = re.compile(r"(\bAND\s+)?tags?\.`mlflow\.prompt\.is_prompt`\s*!=\s*'true'", re.IGNORECASE)
_NO_ENDPOINT = "ENDPOINT_NOT_FOUND"


class WorkspaceStore(AzureMLRestStore):  # type: ignore[misc] # the plugin has no types
    """The tracking store of a workspace; calls of its endpoints raise the service's errors as MLflow's."""

    def _call_endpoint(
        self,
        api: Any,
        json_body: str | None = None,
        endpoint: str | None = None,
        retry_timeout_seconds: int | None = None,  # noqa: ARG002 - for Databricks only
        response_proto: Any = None,
    ) -> Any:
        methods = self._V3_METHOD_TO_INFO if api in self._V3_APIS else self._METHOD_TO_INFO
        default_endpoint, method = methods[api]
        proto = api.Response() if response_proto is None else response_proto
        return call_endpoint(self.get_host_creds(), endpoint or default_endpoint, method, json_body, proto)

    def rename_experiment(self, _experiment_id: str, _new_name: str) -> None:
        """Raise `UnsupportedByStore`, because the service does not support it."""
        message = "Azure Machine Learning cannot rename an experiment."
        raise UnsupportedByStore(message)

    def search_logged_models(self, *args: Any, **options: Any) -> PagedList[LoggedModel]:
        """Return an empty list if the service has no logged models; in a workspace, a model is a folder."""
        try:
            models: PagedList[LoggedModel] = super().search_logged_models(*args, **options)
        except MlflowException as error:
            if code_of(error) != _NO_ENDPOINT:
                raise
            return PagedList([], None)
        return models

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Log in as many batches as the service requires; params and tags are in the first."""
        super().log_batch(run_id, metrics[:METRICS_PER_BATCH], params, tags)
        for start in range(METRICS_PER_BATCH, len(metrics), METRICS_PER_BATCH):
            super().log_batch(run_id, metrics[start : start + METRICS_PER_BATCH], [], [])


class WorkspaceRegistry(AzureMLflowModelRegistry):  # type: ignore[misc] # the plugin has no types
    """The model registry of a workspace.

    The service searches registered models only by exact name. It has no prompts, and refuses the clause
    with which MLflow's client excludes them.
    """

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return a page of models; a search that the service does not support is run here on all models."""
        text = _NO_PROMPTS_CLAUSE.sub("", filter_string or "").strip()
        comparisons = MODEL_FILTERS.parse(text)
        if order_by is None and all((each.by, each.operator) == ("attribute", "eq") for each in comparisons):
            page: PagedList[RegisteredModel] = super().search_registered_models(
                text or None, max_results, None, page_token
            )
            return page
        matching = _matching(self._all_models(), comparisons)
        ordered = SearchModelUtils.sort(matching, order_by or [])
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def _all_models(self) -> list[RegisteredModel]:
        models: list[RegisteredModel] = []
        token: str | None = None
        while len(models) <= MAX_SCANNED_MODELS:
            page = super().search_registered_models(None, _MODELS_PER_PAGE, None, token)
            models.extend(page)
            token = page.token or None
            if token is None:
                return models
        message = (
            f"There are more than {MAX_SCANNED_MODELS:,} registered models, the maximum for this search."
        )
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
                return self._call(api, json_body, endpoint, method, extra_headers)
            except MlflowException as error:
                if code_of(error) != _NO_ENDPOINT:
                    raise
        endpoint, method = endpoints[-1]
        return self._call(api, json_body, endpoint, method, extra_headers)

    def _call(self, api: Any, body: str | None, endpoint: str, method: str, headers: Any) -> Any:
        proto = self._get_response_from_method(api)
        return call_endpoint(self.get_host_creds(), endpoint, method, body, proto, headers)


def _matching(
    models: Sequence[RegisteredModel], comparisons: Sequence[FilterComparison]
) -> Sequence[RegisteredModel]:
    """Return the models that match all comparisons."""
    predicates = tuple(
        Predicate(each.by, each.key, each.operator, each.value)
        for each in comparisons
        if each.by != "dataset"
    )
    matched = matches(AllOf(predicates), registered_model_table(models, {"name", "tags"}))
    return [model for model, match in zip(models, matched, strict=True) if match]
