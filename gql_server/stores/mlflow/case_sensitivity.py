"""Detection of whether the database behind an MLflow server compares text case-sensitively.

MySQL does not, with the tables that MLflow creates: in an order by the metric `M`, runs with the metric `m`
are sorted as runs with a value.
"""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from gql_server.stores.mlflow.store_reader import StoreReader

_SWAPPED_CASE: Final = str.maketrans(ascii_lowercase + ascii_uppercase, ascii_uppercase + ascii_lowercase)
_MAX_EXPERIMENTS: Final = 20


class CaseSensitivity:
    """Looks up an experiment by its name with the case of all letters swapped, and caches the result."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._case_sensitive: bool | None = None

    async def is_case_sensitive(self, experiment_ids: Sequence[str]) -> bool:
        """Return whether the store is case-sensitive; False if no name of these experiments has letters."""
        if self._case_sensitive is None:
            self._case_sensitive = await self._detect(experiment_ids[:_MAX_EXPERIMENTS])
        return self._case_sensitive is True

    async def _detect(self, experiment_ids: Sequence[str]) -> bool | None:
        experiments = await self._reader.experiments(experiment_ids)
        swapped = (experiment.name.translate(_SWAPPED_CASE) for experiment in experiments.values())
        name = next((name for name in swapped if name.translate(_SWAPPED_CASE) != name), None)
        return None if name is None else await self._reader.matches_name_exactly(name)
