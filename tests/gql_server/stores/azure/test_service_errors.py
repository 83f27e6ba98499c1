"""Errors and throttling by the service: messages, retries and their limits."""

import asyncio
import json
from collections.abc import Mapping
from typing import TypeAlias

import pytest
from mlflow.entities import Metric

from gql_server.config.azure import AzureSettings
from gql_server.runtime import retry
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import (
    BadUserInput,
    Forbidden,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedByStore,
)
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Search
from schema.ports.tracking_writes import KeyValue
from tests.support.app.graphql_client import graphql_client
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.store import Store
from tests.support.stores.write_stores import IN_DOUBT, open_write_store


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between retries."""
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 0.001)


ErrorResponse: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""A status, headers and a body."""


def error_response(status: int, message: str, code: str | None = "BAD_REQUEST") -> ErrorResponse:
    """Return an error response in the service's format."""
    error = {"Code": "UserError", "Message": message, "InnerError": {"Code": "Secret", "InnerError": None}}
    body = {"Error": error, "Correlation": {"operation": "0af765"}, "statusCode": status, "error_code": code}
    return status, {}, json.dumps(body).encode()


@pytest.mark.parametrize(
    ("response", "error", "shown"),
    [
        (error_response(400, "The value 'x' is not valid."), BadUserInput, "The value 'x' is not valid."),
        (error_response(400, "See https://a.b/c for it.", None), BadUserInput, "See (a URL) for it."),
        (error_response(400, "No, not that.", "UserError"), BadUserInput, "No, not that."),
        (error_response(401, "No.", "UNAUTHENTICATED"), Unauthenticated, "credentials"),
        (error_response(403, "No.", None), Forbidden, "does not allow"),
        ((403, {}, b"<html>no</html>"), Forbidden, "does not allow"),
        ((409, {}, b"{}"), StoreUnavailable, "not available"),
        ((404, {}, b""), UnsupportedByStore, "no such function"),
        ((200, {}, b"<html>a proxy's page</html>"), StoreUnavailable, "not available"),
        ((302, {}, b""), StoreUnavailable, "not available"),
    ],
)
async def test_error_shows_only_its_message(
    azure: Emulator,
    tracking: MlflowTracking,
    response: ErrorResponse,
    error: type[PublicError],
    shown: str,
) -> None:
    """The client receives the message of the service's error, with the matching code."""
    # Twice, because a 401 is retried with a new token.
    azure.failures.extend([response, response])
    with pytest.raises(error) as caught:
        await tracking.count_experiments(Search())
    assert shown in str(caught.value)
    for inner in ("0af765", "Secret", "Correlation", "{"):
        assert inner not in str(caught.value)


async def test_revoked_token_is_replaced(
    azure: Emulator, azure_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that the workspace refuses before it expires is replaced, at most once in some seconds."""
    monkeypatch.setattr("gql_server.stores.azure.credential._FAILURE_SECONDS", 0.0)
    async with graphql_client(azure_store.uri, azure_retries=1) as graphql:
        for first in range(2):
            requested = azure.calls["token"]
            azure.revoke_tokens()
            await graphql.data(f"{{ experiment(experimentId: {first}) {{ name }} }}")
            assert azure.calls["token"] == requested + 1
        monkeypatch.setattr("gql_server.stores.azure.credential._FAILURE_SECONDS", 3600.0)
        azure.revoke_tokens()
        error = await graphql.error("{ experiments { nodes { name } } }")
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert azure.calls["token"] == requested + 1


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_temporary_failure_is_retried(azure: Emulator, tracking: MlflowTracking, status: int) -> None:
    """A request that is throttled or fails is repeated until it succeeds."""
    azure.failures.extend([error_response(status, "Not now."), (status, {}, b"")])
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 3


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("status", "error"), [(429, StoreUnavailable), (500, StoreUnavailable), (504, StoreTimeout)]
)
async def test_retries_are_limited(
    azure: Emulator, azure_store: Store, status: int, error: type[PublicError]
) -> None:
    """After the configured number of retries the error is raised; each attempt is one request."""
    azure.failures.extend([error_response(status, "Not now.")] * 9)
    port = MlflowTracking(azure_store.uri, LIMITS.store, azure=AzureSettings(azure_retries=2).azure_options)
    with pytest.raises(error):
        await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 3
    await port.close()


async def test_retry_after_beyond_timeout_is_not_waited_for(azure: Emulator, azure_store: Store) -> None:
    """A Retry-After that exceeds the timeout of the call raises the error immediately."""
    azure.failures.extend([(429, {"Retry-After": "3600"}, b"")] * 9)
    port = MlflowTracking(azure_store.uri, store_limits(store_timeout=20))
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="too many requests"):
            await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 1
    await port.close()


@pytest.mark.usefixtures("short_pauses")
async def test_throttled_histories_are_retried(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """Of many histories, the throttled ones are retried, and all are returned."""
    run = azure_store.client.create_run("0").info.run_id
    azure_store.client.log_batch(run, [Metric(f"m{number}", 1, 1, 1) for number in range(12)])
    azure.failures.extend([(429, {}, b"")] * 4 + [(503, {}, b"")])
    result = await tracking.histories([(run, f"m{number}") for number in range(12)], None, None)
    assert result.rows["value"] == [1.0] * 12
    assert azure.calls["metrics/get-history"] == 17


SET_TAGS = """mutation { setExperimentTags(input: {experimentId: "0", tags: [{key: "k", value: "v"}]}) {
    experiment { tag(key: "k") } } }"""


@pytest.mark.usefixtures("short_pauses")
async def test_refused_change_is_retried(azure: Emulator, azure_store: Store) -> None:
    """A change refused for throttling or its token was not applied, and is sent again."""
    async with graphql_client(azure_store.uri, writable=True) as graphql:
        azure.failures.append((429, {}, b""))
        changed = await graphql.data(SET_TAGS)
        azure.revoke_tokens()
        await graphql.data(SET_TAGS)
    assert changed["setExperimentTags"] == {"experiment": {"tag": "v"}}
    assert azure.calls["experiments/set-experiment-tag"] == 4


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("status", "headers", "times", "in_doubt"),
    [(429, {}, 3, False), (429, {"Retry-After": "3600"}, 1, False), (503, {}, 1, True)],
)
async def test_failed_change_is_not_retried(
    azure: Emulator, azure_store: Store, status: int, headers: dict[str, str], times: int, *, in_doubt: bool
) -> None:
    """A change refused in all attempts was not applied; one that fails in the workspace is sent once."""
    azure.failures.extend([(status, headers, b"")] * 9)
    writer = open_write_store(azure_store.uri, StoreKind.AZURE_ML, retries=2)
    with pytest.raises(StoreUnavailable) as caught:
        await writer.set_experiment_tags("0", [KeyValue("k", "v")])
    assert azure.calls["experiments/set-experiment-tag"] == times
    assert (IN_DOUBT in str(caught.value)) is in_doubt
    await writer.close()


async def test_retry_after_is_waited_for(azure: Emulator, tracking: MlflowTracking) -> None:
    """A retry waits for the time in Retry-After, if it is within the timeout."""
    azure.failures.append((429, {"Retry-After": "0"}, b""))
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 2
