"""MLflow's stores over HTTP, so that each request is sent once."""

import json
from functools import partial
from typing import Any

from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.proto_json_utils import parse_dict
from mlflow.utils.rest_utils import http_request, verify_rest_response

from gql_server.config.azure import AzureOptions
from gql_server.stores.mlflow.open_store import open_store


def open_sending_once(uri: str, *, create: bool = False, azure: AzureOptions | None = None) -> AbstractStore:
    """Open a store as `open_store` does; one that speaks HTTP sends each request once.

    MLflow's own stores send a POST up to seven times again after an error that may have come when the change
    was made already, and no option but a variable for the whole process changes that.
    """
    store = open_store(uri, create=create, azure=azure)
    # One that has its own way to send is trusted to know what it does.
    if isinstance(store, RestStore) and type(store)._call_endpoint is RestStore._call_endpoint:  # noqa: SLF001
        store._call_endpoint = partial(_call, store)  # type: ignore[method-assign]  # noqa: SLF001
    return store


def _call(
    store: Any,
    api: Any,
    json_body: str | None = None,
    endpoint: str | None = None,
    retry_timeout_seconds: int | None = 1,
    response_proto: Any = None,
) -> Any:
    """Do what `RestStore._call_endpoint` does; a reply of any status is read rather than asked for again."""
    known = store._V3_METHOD_TO_INFO if api in store._V3_APIS else store._METHOD_TO_INFO  # noqa: SLF001
    store._validate_workspace_support_if_specified()  # noqa: SLF001
    path, method = known[api]
    reply = http_request(
        store.get_host_creds(),
        endpoint or path,
        method,
        max_retries=0,
        retry_codes=frozenset(),
        raise_on_status=False,
        # For the Databricks SDK, in which 0 stands for its own default.
        retry_timeout_seconds=retry_timeout_seconds or 1,
        **{"params" if method == "GET" else "json": json.loads(json_body) if json_body else None},
    )
    message = response_proto or api.Response()
    parse_dict(js_dict=json.loads(verify_rest_response(reply, path).text), message=message)
    return message
