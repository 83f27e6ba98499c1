"""What responses of gigabytes of an MLflow server take of this server's memory."""

import json

import pytest

from tests.support.servers.measured_app import measured_server
from tests.support.servers.streaming_server import streaming_server

_PART_BYTES, _PARTS = 100_000_000, 15
_PEAK_BYTES = 500_000_000
_WARM_UP = "{ server { version } }"


def _runs(count: int) -> str:
    """Return a document that searches so many times, which is as many requests at once."""
    searches = (
        f'a{number}: runs(experimentIds: ["{number}"]) {{ nodes {{ name }} }}' for number in range(count)
    )
    return f"{{ {' '.join(searches)} }}"


def _page(size: int) -> bytes:
    """Return a valid response of about so many bytes, with one run that has many params."""
    params = [{"key": f"param {number}", "value": "x" * 50} for number in range(size // 90)]
    info = {"run_id": "0" * 32, "experiment_id": "1", "status": "FINISHED", "artifact_uri": "file:///x"}
    return json.dumps({"runs": [{"info": info, "data": {"params": params}}]}).encode()


@pytest.mark.parametrize("searches", [1, 20])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_response_of_gigabytes_takes_bounded_memory(*, compressed: bool, searches: int) -> None:
    """Of 1.5 GB, plain and compressed, once and many times at once, a part is in memory."""
    with (
        streaming_server(b" " * _PART_BYTES, _PARTS, compressed=compressed) as upstream,
        measured_server(upstream.uri, access_log=False) as server,
    ):
        server.answer(_WARM_UP)
        response, taken = server.answer(_runs(searches))
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes <= {"LIMIT_EXCEEDED", "STORE_TIMEOUT"}
    assert "LIMIT_EXCEEDED" in codes
    assert 0 < taken.peak_bytes < _PEAK_BYTES, taken


def test_largest_pages_take_bounded_memory() -> None:
    """Of pages that are just small enough, a few are converted at once, until the time is over."""
    with (
        streaming_server(_page(39_000_000), 1) as upstream,
        measured_server(upstream.uri, access_log=False, max_processor_seconds=2) as server,
    ):
        server.answer(_WARM_UP)
        response, taken = server.answer(_runs(20))
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert 0 < taken.peak_bytes < _PEAK_BYTES, taken
