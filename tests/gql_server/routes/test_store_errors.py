"""Tests of the conversion of exceptions of the stores' libraries."""

import pytest
from mlflow.exceptions import RestException
from sqlalchemy.exc import OperationalError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gql_server.http.request_error import RequestError
from gql_server.routes.store_errors import StoreErrorMiddleware
from schema.ports.errors import NotFound, StoreUnavailable, Unauthenticated

DATABASE_ERROR = OperationalError("SELECT 1", {}, Exception("no connection"))


async def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """Return the exception that the middleware raises for an exception of a route."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error from cause

    async def unused(*_: object) -> None:
        raise AssertionError

    with pytest.raises(Exception) as caught:  # noqa: PT011 - the test compares it
        await StoreErrorMiddleware(app)({"type": "http"}, unused, unused)  # type: ignore[arg-type]
    return caught.value


async def test_library_exceptions_become_public_errors() -> None:
    """An exception of a store's library becomes a public error, whose cause it is."""
    error = await raised(DATABASE_ERROR)
    assert isinstance(error, StoreUnavailable)
    assert error.__cause__ is DATABASE_ERROR
    rejected = RestException({"error_code": "UNAUTHENTICATED", "message": "who"})
    assert isinstance(await raised(rejected), Unauthenticated)


@pytest.mark.parametrize(
    "error",
    [
        NotFound("There is no such run."),
        RequestError.from_message("Refused.", "LIMIT_EXCEEDED"),
        ClientDisconnect(),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_other_exceptions_are_raised_unchanged(error: Exception) -> None:
    """Public errors, refusals, disconnects and bugs are not converted."""
    assert await raised(error) is error


@pytest.mark.parametrize("error", [RequestError.from_message("Refused.", "FORBIDDEN"), ClientDisconnect()])
async def test_cause_does_not_replace_a_refusal(error: Exception) -> None:
    """A refusal or a disconnect is raised, also if an exception of a library is its cause."""
    assert await raised(error, DATABASE_ERROR) is error
