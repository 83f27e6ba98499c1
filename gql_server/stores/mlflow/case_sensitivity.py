"""Whether the database behind an MLflow server tells texts apart that differ only by case.

MySQL does not, as MLflow makes its tables: ordered by the metric `M`, runs with `m` are among those that have
it.
"""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from gql_server.stores.mlflow.store_reader import StoreReader

_SWAPPED: Final = str.maketrans(ascii_lowercase + ascii_uppercase, ascii_uppercase + ascii_lowercase)
_MOST_NAMES: Final = 20


class CaseSensitivity:
    """Looks, until that has told, for an experiment by its name in the other case."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._told: bool | None = None

    async def is_told(self, experiment_ids: Sequence[str]) -> bool:
        """Say whether case is told; False, too, where no name of these experiments has letters to tell it."""
        if self._told is None:
            self._told = await self._ask(experiment_ids[:_MOST_NAMES])
        return self._told is True

    async def _ask(self, experiment_ids: Sequence[str]) -> bool | None:
        found = await self._reader.experiments(experiment_ids)
        swapped = (experiment.name.translate(_SWAPPED) for experiment in found.values())
        name = next((name for name in swapped if name.translate(_SWAPPED) != name), None)
        return None if name is None else await self._reader.tells_name(name)
