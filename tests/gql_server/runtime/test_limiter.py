"""The limit on calls in flight."""

import pytest

from gql_server.runtime.limiter import Limiter, LimiterFull


def test_calls_up_to_limit_enter() -> None:
    """Calls enter until the limit is reached; the next one raises and is not counted."""
    limiter = Limiter(2)
    with limiter, limiter:
        assert limiter.in_flight == 2
        with pytest.raises(LimiterFull) as caught:
            limiter.acquire()
        assert caught.value.limit == 2
        assert limiter.in_flight == 2
    assert limiter.in_flight == 0


def test_failed_call_is_released() -> None:
    """A call that raises is no longer in flight, and its error passes on."""
    limiter = Limiter(1)
    with pytest.raises(ValueError, match="broken"), limiter:
        int("broken")
    with limiter:
        assert limiter.in_flight == 1


def test_call_released_elsewhere() -> None:
    """A call acquired in one function is in flight until another function releases it."""
    limiter = Limiter(1)
    limiter.acquire()
    with pytest.raises(LimiterFull), limiter:
        pass
    limiter.release()
    with limiter:
        assert limiter.in_flight == 1
