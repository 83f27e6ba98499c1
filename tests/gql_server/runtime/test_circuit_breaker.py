"""The circuit breaker."""

import logging

import pytest

from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock


def test_open_breaker_allows_one_call_per_period(clock: Clock) -> None:
    """After a failure no call is allowed for a period, then one a period until one succeeds."""
    breaker = CircuitBreaker(retry_seconds=2.0, clock=clock)
    assert breaker.allows_call()
    breaker.record_failure(OSError())
    assert not breaker.allows_call()
    clock.now += 2.0
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]
    clock.now += 2.0
    assert breaker.allows_call()
    breaker.record_success()
    assert [breaker.allows_call() for _ in range(3)] == [True, True, True]


def test_failures_are_logged_once_a_period(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A cache that fails repeatedly is logged once a minute, by the error's type and without its text."""
    breaker = CircuitBreaker(log_seconds=60.0, clock=clock)
    for _ in range(120):
        breaker.record_failure(OSError("redis://user:secret@host"))
        clock.now += 1.0
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "OSError, 61 times" in caplog.text
    assert "secret" not in caplog.text
    assert breaker.failures == 120
