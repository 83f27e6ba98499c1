"""Requests to a workspace's MLflow endpoints, and what their answers mean.

An error of the service is `{"Error": {"Code", "Message", ...}, "Correlation": {...}, "error_code", ...}`.
MLflow's client looks for `error_code` and `message` there, and would make a message of all of it.
Where something has no endpoint the body is empty.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import ErrorCode
from mlflow.utils.proto_json_utils import parse_dict
from mlflow.utils.rest_utils import MlflowHostCreds, http_request

from gql_server.runtime.retry import RetryableError
from gql_server.stores.azure.credential import replaceable

_log = logging.getLogger(__name__)
_OK, _BAD_REQUEST, _UNAUTHENTICATED, _TOO_MANY, _TOO_SLOW, _SERVER_FAULT = 200, 400, 401, 429, 504, 500
_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
_CODES: Mapping[int, str] = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_ALREADY_EXISTS",
}
"""MLflow's names for what the service says with a body; its own `BAD_REQUEST` says less."""


def call(
    creds: MlflowHostCreds,
    endpoint: str,
    method: str,
    json_body: str | None,
    response_proto: Any,
    extra_headers: dict[str, str] | None = None,
) -> Any:
    """Do as MLflow's `call_endpoint`, but raise the service's errors in MLflow's own form.

    Where nothing is changed, a connection that broke is tried once more at once. For 429 and 5xx, and for a
    token that is not taken any more, `RetryableError` is raised: waiting is nothing for a worker thread.
    """
    body = None if json_body is None else json.loads(json_body)
    response = http_request(
        host_creds=creds,
        endpoint=endpoint,
        method=method,
        max_retries=1 if method == "GET" or endpoint.endswith("/search") else 0,
        retry_codes=(),
        raise_on_status=False,
        respect_retry_after_header=False,
        extra_headers=extra_headers,
        **{"params" if method == "GET" else "json": body},
    )
    if response.status_code == _UNAUTHENTICATED and replaceable(creds.token or ""):
        raise RetryableError(_CODES[_UNAUTHENTICATED], 0.0)
    if response.status_code != _OK:
        raise error_of(response.status_code, response.content, response.headers)
    answer = _object(response.content or b"{}")
    if answer is None:
        raise _rest_error(_UNAVAILABLE, "The workspace answered with something else than JSON.")
    parse_dict(js_dict=answer, message=response_proto)
    return response_proto


def error_of(status: int, content: bytes, headers: Mapping[str, str]) -> MlflowException:
    """Return the error that a response other than 200 stands for."""
    body = _object(content)
    if body:
        _log.info("the workspace refused a request with %d, correlation %s", status, body.get("Correlation"))
    if status == _TOO_MANY or status >= _SERVER_FAULT:
        code = {_TOO_MANY: "RESOURCE_EXHAUSTED", _TOO_SLOW: "DEADLINE_EXCEEDED"}
        return RetryableError(code.get(status, _UNAVAILABLE), _retry_after(headers))
    if not body:
        code_of_empty = "ENDPOINT_NOT_FOUND" if status in {404, 405} else _CODES.get(status)
        return _rest_error(code_of_empty or _UNAVAILABLE, f"The workspace answered {status}.")
    return _rest_error(_code(body, status), _message(body))


def _rest_error(code: str, message: str) -> RestException:
    return RestException({"error_code": code, "message": message})


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        # Not orjson: like MLflow itself this takes a bare NaN, should there be one.
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _code(body: dict[str, Any], status: int) -> str:
    """Return MLflow's own name of an error where the service has one, else what its status says."""
    given = body.get("error_code")
    if given in ErrorCode.keys() and given != "BAD_REQUEST":  # noqa: SIM118 - it is no dict
        return str(given)
    return _CODES.get(status, _CODES[_BAD_REQUEST])


def _message(body: dict[str, Any]) -> str:
    error = body.get("Error") or body.get("error")
    inner = error if isinstance(error, dict) else {}
    text = inner.get("Message") or inner.get("message") or body.get("message")
    return str(text or "The workspace refused the request.")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which the service wants to be asked again; a date it does not send."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < len("1000000") else None
