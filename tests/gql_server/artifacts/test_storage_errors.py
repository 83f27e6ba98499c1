"""Errors of storage libraries, and their codes."""

import ftplib
import importlib.util

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from requests import exceptions as http

from tests.support.app.artifact_owners import QUERY, UNCACHED, ArtifactOwner, status_and_code
from tests.support.app.cloud_repository import CloudRepository
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.servers.free_ports import free_port
from tests.support.stores.store import Store


async def test_unreachable_storage_is_unavailable(sqlite_store: Store) -> None:
    """A missing library is named by its package, and an unreachable host is reported as unavailable."""
    ftp = f"ftp://127.0.0.1:{free_port()}/x"
    expected = [(ftp, "STORE_UNAVAILABLE", "cannot be reached")]
    if importlib.util.find_spec("boto3") is None:
        expected.append(("s3://bucket/x", "UNSUPPORTED_BY_STORE", "the Python package boto3"))
    for index, (location, code, message) in enumerate(expected):
        experiment = sqlite_store.client.create_experiment(f"far {index}", location)
        run_id = sqlite_store.client.create_run(experiment).info.run_id
        async with graphql_client(sqlite_store.uri, **UNCACHED) as graphql:
            error = await graphql.error(QUERY, id=run_id)
            downloaded = status_and_code(await graphql.http.get(f"/artifacts/{run_id}/x.txt"))
        assert error["extensions"]["code"] == downloaded[1] == code
        assert message in error["message"]


def _raised(name: str, base: type[Exception] = Exception, **attributes: object) -> Exception:
    """Return an error of a class as a library that is not installed would define it."""
    error: Exception = type(name, (base,), attributes)("secret")
    return error


def _of_ftp(name: str, reply: str) -> Exception:
    error: Exception = getattr(ftplib, name)(reply)
    return error


def _of_s3(status: int) -> Exception:
    return _raised("ClientError", response={"ResponseMetadata": {"HTTPStatusCode": status}})


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ModuleNotFoundError("secret", name="boto3"), 501, "UNSUPPORTED_BY_STORE"),
        (OSError("Unable to load libjvm: secret"), 501, "UNSUPPORTED_BY_STORE"),
        (_raised("NoCredentialsError"), 403, "FORBIDDEN"),
        (_raised("DefaultCredentialsError"), 403, "FORBIDDEN"),
        (_raised("EndpointConnectionError"), 503, "STORE_UNAVAILABLE"),
        (_raised("ReadTimeoutError"), 504, "STORE_TIMEOUT"),
        (_raised("ServiceRequestError"), 503, "STORE_UNAVAILABLE"),
        (_raised("HttpResponseError", status_code=429), 503, "STORE_UNAVAILABLE"),
        (_of_s3(503), 503, "STORE_UNAVAILABLE"),
        (_of_s3(403), 403, "FORBIDDEN"),
        (_of_s3(404), 404, "NOT_FOUND"),
        (ConnectionRefusedError("secret"), 503, "STORE_UNAVAILABLE"),
        (TimeoutError("secret"), 504, "STORE_TIMEOUT"),
        (_of_ftp("error_perm", "530 secret"), 403, "FORBIDDEN"),
        (_of_ftp("error_temp", "421 secret"), 503, "STORE_UNAVAILABLE"),
        (_of_ftp("error_perm", "500 secret"), 500, "INTERNAL_SERVER_ERROR"),
        (PermissionError("secret"), 500, "INTERNAL_SERVER_ERROR"),
        (http.ReadTimeout("https://secret.invalid"), 504, "STORE_TIMEOUT"),
        (http.ConnectionError("https://secret.invalid"), 503, "STORE_UNAVAILABLE"),
        (MlflowException("no", error_code=RESOURCE_DOES_NOT_EXIST), 404, "NOT_FOUND"),
        (MlflowException("no", error_code=PERMISSION_DENIED), 403, "FORBIDDEN"),
        (RuntimeError("secret"), 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_storage_errors_have_codes(
    graphql: GraphQLClient,
    remote: tuple[ArtifactOwner, type[CloudRepository]],
    failure: Exception,
    status: int,
    code: str,
) -> None:
    """Timeouts, refusals and failures of a repository have the same code in queries and downloads."""
    run, repository = remote
    url = run.write("x.txt")
    repository.failure = failure
    error = await graphql.error(QUERY, id=run.id)
    assert error["extensions"]["code"] == code
    response = await graphql.http.get(url)
    assert status_and_code(response) == (status, code)
    assert "secret" not in response.text
    assert "secret" not in error["message"]
