"""No document takes more of a server with default limits than docs/security.md states."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings, target

from tests.support.schema.worst_documents import WORST, documents
from tests.support.servers.measured_app import MeasuredServer, Measurement, measured_server
from tests.support.stores.large_store import Size, fill
from tests.support.stores.store import Store

_PEAK_BYTES = 500_000_000
_GAP_SECONDS = 0.1
_AFTER_LIMIT = 2.0
"""Seconds of processor time that a query takes after `GQL_MAX_PROCESSOR_SECONDS`."""
_CODES = {"LIMIT_EXCEEDED", "STORE_TIMEOUT", "BAD_USER_INPUT"}

_IS_LONG = settings.get_current_profile_name() == "fuzz"
_SIZE = Size(100_000, 5, 400, 1000, 2_000_000) if _IS_LONG else Size(30_000, 2, 300, 200, 200_000)
_SECONDS = 8.0 if _IS_LONG else 1.0
"""The default, and less where the same examples have to take less time."""
_EXAMPLES = 300 if _IS_LONG else 4


@pytest.fixture(params=["sqlite_store", "postgres_store"])
def server(request: pytest.FixtureRequest) -> Iterator[MeasuredServer]:
    """Yield a server in a process of its own, over a large store."""
    store: Store = request.getfixturevalue(request.param)
    fill(store.uri, _SIZE)
    limits = {} if _IS_LONG else {"max_processor_seconds": _SECONDS, "store_timeout": 3.0}
    with measured_server(store.uri, access_log=False, cache_running_seconds=0, **limits) as server:
        server.answer("{ runs(first: 2) { nodes { name params { key } metrics { series { steps } } } } }")
        yield server


def _check(name: str, server: MeasuredServer, document: str) -> Measurement:
    response, taken = server.answer(document)
    assert response.status_code in {200, 400}, (name, response.text[:500])
    codes = {error["extensions"]["code"] for error in response.json().get("errors", [])}
    assert codes <= _CODES, (name, response.text[:500])
    assert taken.peak_bytes < _PEAK_BYTES, (name, taken)
    assert taken.processor_seconds < _SECONDS + _AFTER_LIMIT, (name, taken)
    assert taken.longest_gap < _GAP_SECONDS, (name, taken)
    return taken


@pytest.mark.hypothesis
@pytest.mark.timeout(3600 if _IS_LONG else 300)
def test_no_document_exceeds_the_bounds(server: MeasuredServer) -> None:
    """Known documents and those of a search are stopped in time, or fit; then the server still responds."""
    for name, document in WORST.items():
        _check(name, server, document)

    # Without shrinking: each step of it would take as much again.
    @settings(
        max_examples=_EXAMPLES,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    def search(document: str) -> None:
        taken = _check(document, server, document)
        # Documents that take more are varied more often.
        target(taken.peak_bytes / _PEAK_BYTES, label="memory")
        target(taken.processor_seconds / _SECONDS, label="processor time")
        target(taken.longest_gap / _GAP_SECONDS, label="gap")

    search()
    response, taken = server.answer("{ runs(first: 2) { nodes { name } } }")
    assert "errors" not in response.json()
    assert taken.processor_seconds < 1
