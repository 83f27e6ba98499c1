"""Measurements in rounds: variants take turns, so that other load on the machine affects all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """A function to measure; `prepare` runs before each measurement and is not measured."""

    run: Callable[[], Any]
    prepare: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """The measured times of one variant, in seconds."""

    times: Sequence[float]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)

    def __str__(self) -> str:
        if len(self.times) == 1:
            return _milliseconds(self.median)
        low, high = min(self.times), max(self.times)
        return f"{_milliseconds(self.median)} ({_milliseconds(low)} to {_milliseconds(high)})"


def measure(variants: dict[str, Variant], rounds: int, *, warm: bool = True) -> dict[str, Timings]:
    """Measure each variant once a round, after a round that does not count unless `warm` is false."""
    # Exclude the existing objects from the collections before each measurement.
    gc.freeze()
    try:
        if warm:
            _run_round(variants)
        results = [_run_round(variants) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    return {name: Timings([result[name] for result in results]) for name in variants}


def _run_round(variants: dict[str, Variant]) -> dict[str, float]:
    return {name: _time(variant) for name, variant in variants.items()}


def _time(variant: Variant) -> float:
    if variant.prepare:
        variant.prepare()
    # A collection would count as time of the current variant; the limit runs without the collector, too.
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        variant.run()
        return time.perf_counter() - start
    finally:
        gc.enable()


def _milliseconds(seconds: float) -> str:
    number = seconds * 1000
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"  # noqa: PLR2004 - two digits are enough
