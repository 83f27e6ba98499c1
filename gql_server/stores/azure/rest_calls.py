"""Calls of a workspace's MLflow endpoints, and the conversion of error responses.

An error response is `{"Error": {"Code", "Message", ...}, "Correlation": {...}, "error_code", ...}`.
MLflow's client reads `error_code` and `message`, and would put the whole body into the message. If an
endpoint does not exist, the body is empty.
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
from gql_server.stores.azure.credential import reject_token

_log = logging.getLogger(__name__)
_OK, _BAD_REQUEST, _UNAUTHENTICATED = 200, 400, 401
_TOO_MANY_REQUESTS, _SERVER_ERROR, _GATEWAY_TIMEOUT = 429, 500, 504
_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
_ERROR_CODES: Mapping[int, str] = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_ALREADY_EXISTS",
}
"""MLflow's error codes for responses with a body; the service's `BAD_REQUEST` is less specific."""


def call_endpoint(
    creds: MlflowHostCreds,
    endpoint: str,
    method: str,
    json_body: str | None,
    response_proto: Any,
    extra_headers: dict[str, str] | None = None,
) -> Any:
    """Call an endpoint as MLflow's `call_endpoint` does, but raise the service's errors as MLflow's.

    A read is repeated once, immediately, if the connection breaks. For 429, 5xx and a refused token,
    `RetryableError` is raised, so that no worker thread waits.
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
    if response.status_code == _UNAUTHENTICATED and reject_token(creds.token or ""):
        raise RetryableError(_ERROR_CODES[_UNAUTHENTICATED], 0.0)
    if response.status_code != _OK:
        raise error_from_response(response.status_code, response.content, response.headers)
    result = _json_object(response.content or b"{}")
    if result is None:
        raise _rest_error(_UNAVAILABLE, "The workspace's response is not JSON.")
    parse_dict(js_dict=result, message=response_proto)
    return response_proto


def error_from_response(status: int, content: bytes, headers: Mapping[str, str]) -> MlflowException:
    """Return the error for a response with a status other than 200."""
    body = _json_object(content)
    if body:
        _log.info("the workspace refused a request with %d, correlation %s", status, body.get("Correlation"))
    if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR:
        codes = {_TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED", _GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED"}
        return RetryableError(codes.get(status, _UNAVAILABLE), _retry_after(headers))
    if not body:
        code = "ENDPOINT_NOT_FOUND" if status in {404, 405} else _ERROR_CODES.get(status)
        return _rest_error(code or _UNAVAILABLE, f"The workspace responded with status {status}.")
    return _rest_error(_error_code(body, status), _message(body))


def _rest_error(code: str, message: str) -> RestException:
    return RestException({"error_code": code, "message": message})


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        # Not orjson: like MLflow's client, this accepts NaN without quotes.
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _error_code(body: dict[str, Any], status: int) -> str:
    """Return the body's error code if it is one of MLflow's, otherwise the code for the status."""
    code = body.get("error_code")
    if code in ErrorCode.keys() and code != "BAD_REQUEST":  # noqa: SIM118 - it is not a dict
        return str(code)
    return _ERROR_CODES.get(status, _ERROR_CODES[_BAD_REQUEST])


def _message(body: dict[str, Any]) -> str:
    error = body.get("Error") or body.get("error")
    details = error if isinstance(error, dict) else {}
    text = details.get("Message") or details.get("message") or body.get("message")
    return str(text or "The workspace refused the request.")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of the Retry-After header; the service does not send dates."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < len("1000000") else None
