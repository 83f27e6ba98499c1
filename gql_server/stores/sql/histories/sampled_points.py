"""Samples of points, taken as soon as a series is complete."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from gql_server.stores.limit_errors import too_many_points, too_many_to_sample
from gql_server.stores.point_arrays import PointArray, columns_of, point_array, sampled
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.spans import aligned, spans_by_count
from schema.ports.table import Many, Table
from schema.ports.tracking import Sample, Series


@dataclass(frozen=True, slots=True)
class SampleLimits:
    """The maximum points that one call reads for samples, and that it returns."""

    scanned: int
    returned: int


class SampledPoints:
    """Collects a sample of the points of each of many series."""

    def __init__(self, requested: Sequence[Series], sample: Sample, limits: SampleLimits) -> None:
        self._requested = frozenset(requested)
        self._sample = sample
        self._limits = limits
        self._samples: dict[Series, PointArray] = {}

    def check(self, counts: Mapping[Series, int]) -> "SampledPoints":
        """Raise `LimitExceeded` if there are too many points to read or to return."""
        if sum(counts.values()) > self._limits.scanned:
            raise too_many_to_sample(self._limits.scanned)
        returned = sum(min(counts.get(one, 0), self._sample.max_points) for one in self._requested)
        if returned > self._limits.returned:
            raise too_many_points(self._limits.returned)
        return self

    def collect(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Sample rows grouped by series; return whether there are as many as were counted."""
        rows = chain.from_iterable(chunks)
        for one, size in counts.items():
            points = point_array(islice(rows, size), largest_is_infinite=True)
            if len(points) != size:
                return False
            self.add(one, points)
        return next(rows, None) is None

    def add(self, series: Series, points: PointArray) -> None:
        """Sample the points of a series; those that were read beside the requested ones are dropped."""
        if series in self._requested:
            self._samples[series] = sampled(points, self._sample)

    def many(self, series: Sequence[Series]) -> Many:
        """Return the samples as lists of the port, one for each series."""
        sizes = {one: len(points) for one, points in self._samples.items()}
        rows = Table(sum(sizes.values()), columns_of(list(self._samples.values())))
        return Many(rows, aligned(series, spans_by_count(sizes)))
