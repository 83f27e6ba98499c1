"""Tests of the circuit."""

import logging

import pytest

from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock


def test_after_a_failure_one_tries_at_a_time(clock: Clock) -> None:
    """Nobody is let through while the circuit rests, and then one in each rest until it works."""
    circuit = CircuitBreaker(rest=2.0, clock=clock)
    assert circuit.lets_through()
    circuit.failed(OSError())
    assert not circuit.lets_through()
    clock.now += 2.0
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    clock.now += 2.0
    assert circuit.lets_through()
    circuit.worked()
    assert [circuit.lets_through() for _ in range(3)] == [True, True, True]


def test_failures_are_logged_once_in_a_while(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A cache that stays away is one line a minute, with the error's type and never its text."""
    circuit = CircuitBreaker(quiet=60.0, clock=clock)
    for _ in range(120):
        circuit.failed(OSError("redis://user:secret@host"))
        clock.now += 1.0
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "OSError, 61 times" in caplog.text
    assert "secret" not in caplog.text
    assert circuit.failures == 120
