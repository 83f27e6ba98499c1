"""Long histories in stores that cannot say how long they are."""

from collections.abc import Sequence

from schema.ports.errors import UnsupportedByStore
from schema.ports.long_histories import PointPosition
from schema.ports.table import Table
from schema.ports.tracking import Series


class UncountedHistories:
    """The part of the port that MLflow's own interface has no call for: histories are read whole there."""

    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:  # noqa: ARG002
        """Say that only reading them would tell."""
        return None

    async def points_after(
        self,
        series: Series,  # noqa: ARG002
        after: PointPosition | None,  # noqa: ARG002
        first: int,  # noqa: ARG002
    ) -> Table:
        """Refuse: what cannot be counted is read whole."""
        message = "This store gives a history only as a whole."
        raise UnsupportedByStore(message)
