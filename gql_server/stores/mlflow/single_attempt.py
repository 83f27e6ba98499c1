"""MLflow's stores over HTTP with each request sent once."""

import json
from functools import partial
from typing import Any

from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.proto_json_utils import parse_dict
from mlflow.utils.rest_utils import http_request, verify_rest_response

from gql_server.config.azure import AzureOptions
from gql_server.stores.mlflow.open_store import open_store


def open_single_attempt_store(
    uri: str, *, create: bool = False, azure: AzureOptions | None = None
) -> AbstractStore:
    """Open a store as `open_store` does; a store over HTTP sends each request once.

    MLflow's stores repeat a POST up to seven times after an error, although the change may have been
    applied, and only a variable for the whole process changes that.
    """
    store = open_store(uri, create=create, azure=azure)
    # A store that overrides how requests are sent is not changed.
    if isinstance(store, RestStore) and type(store)._call_endpoint is RestStore._call_endpoint:  # noqa: SLF001
        store._call_endpoint = partial(_call_endpoint, store)  # type: ignore[method-assign]  # noqa: SLF001
    return store


def _call_endpoint(
    store: Any,
    api: Any,
    json_body: str | None = None,
    endpoint: str | None = None,
    retry_timeout_seconds: int | None = 1,
    response_proto: Any = None,
) -> Any:
    """Do what `RestStore._call_endpoint` does, but read a response of any status instead of retrying."""
    methods = store._V3_METHOD_TO_INFO if api in store._V3_APIS else store._METHOD_TO_INFO  # noqa: SLF001
    store._validate_workspace_support_if_specified()  # noqa: SLF001
    path, method = methods[api]
    response = http_request(
        store.get_host_creds(),
        endpoint or path,
        method,
        max_retries=0,
        retry_codes=frozenset(),
        raise_on_status=False,
        # Only the Databricks SDK reads it; there, 0 selects its default.
        retry_timeout_seconds=retry_timeout_seconds or 1,
        **{"params" if method == "GET" else "json": json.loads(json_body) if json_body else None},
    )
    message = response_proto or api.Response()
    parse_dict(js_dict=json.loads(verify_rest_response(response, path).text), message=message)
    return message
