"""Measuring: contenders take turns, so that whatever else the machine does meets them all."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time; `prepare` runs before each time, untimed."""

    run: Callable[[], Any]
    prepare: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Times in seconds."""

    times: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.times)

    def __str__(self) -> str:
        if len(self.times) == 1:
            return _milliseconds(self.median)
        low, high = min(self.times), max(self.times)
        return f"{_milliseconds(self.median)} ({_milliseconds(low)} to {_milliseconds(high)})"


def measure(contenders: dict[str, Contender], rounds: int, *, warm: bool = True) -> dict[str, Sample]:
    """Time each contender once a round, after one turn that does not count unless `warm` is off."""
    # What is here already need not be walked before every turn.
    gc.freeze()
    try:
        if warm:
            _turn(contenders)
        turns = [_turn(contenders) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    return {name: Sample([turn[name] for turn in turns]) for name in contenders}


def _turn(contenders: dict[str, Contender]) -> dict[str, float]:
    return {name: _time(contender) for name, contender in contenders.items()}


def _time(contender: Contender) -> float:
    if contender.prepare:
        contender.prepare()
    # The collector's walks would be charged to whoever is at turn; the limit has them off altogether.
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        contender.run()
        return time.perf_counter() - start
    finally:
        gc.enable()


def _milliseconds(seconds: float) -> str:
    number = seconds * 1000
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"  # noqa: PLR2004 - two digits are enough
