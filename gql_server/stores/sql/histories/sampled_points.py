"""Points of which a sample is kept as soon as their series is complete."""

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
    """How many points one call may go through for a sample, and how many it may return."""

    sampled: int
    returned: int


class SampledPoints:
    """Takes the points of many series and keeps a sample of each."""

    def __init__(
        self, asked: Sequence[Series], counts: Mapping[Series, int], sample: Sample, limits: SampleLimits
    ) -> None:
        """Raise `LimitExceeded` where the points to go through, or those to keep, are too many."""
        if sum(counts.values()) > limits.sampled:
            raise too_many_to_sample(limits.sampled)
        if sum(min(counts.get(one, 0), sample.max_points) for one in asked) > limits.returned:
            raise too_many_points(limits.returned)
        self._asked = frozenset(asked)
        self._sample = sample
        self._curves: dict[Series, PointArray] = {}

    def take(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Take rows that come series by series; say whether they are as many as were counted."""
        rows = chain.from_iterable(chunks)
        for one, size in counts.items():
            curve = point_array(islice(rows, size), largest_is_infinite=True)
            if len(curve) != size:
                return False
            # A series that shares its run or its key with one asked for may have been read in vain.
            if one in self._asked:
                self._curves[one] = sampled(curve, self._sample)
        return next(rows, None) is None

    def many(self, series: Sequence[Series]) -> Many:
        """Return the samples as the port has them."""
        sizes = {one: len(curve) for one, curve in self._curves.items()}
        rows = Table(sum(sizes.values()), columns_of(list(self._curves.values())))
        return Many(rows, aligned(series, spans_by_count(sizes)))
