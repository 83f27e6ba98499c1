"""Long histories in stores that cannot count their points."""

from collections.abc import Sequence

from typing_extensions import override

from schema.ports.errors import UnsupportedByStore
from schema.ports.long_histories import LongHistories, PointPosition
from schema.ports.table import Table
from schema.ports.tracking import Series


class UncountedHistories(LongHistories):
    """The part of the port that MLflow's interface does not support: its histories are read as a whole."""

    @override
    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        return None

    @override
    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        message = "This store returns only complete histories."
        raise UnsupportedByStore(message)
