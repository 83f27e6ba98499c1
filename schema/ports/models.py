"""The port to the inputs and outputs of runs: datasets and logged models."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from schema.ports.table import Many, One

if TYPE_CHECKING:
    from schema.ports.tracking import Page, Pages


class ModelStore(Protocol):
    """The datasets and logged models of a tracking store.

    The columns of each table:

    - datasets: name, digest, source_type, source, schema, profile, context
    - logged models: model_id, name, status, model_type, created_at, updated_at, artifact_location,
      experiment_id, source_run_id
    - params, tags: key, value
    - metrics: the columns of a run's metrics, and dataset_name, dataset_digest

    Tables of datasets and logged models need to have only the requested columns. A store may also return the
    requested names `params`, `tags` and `metrics` as `Many` columns of logged models; the graph then does not
    request them again. Deleted logged models are not returned. `source_run_id` is None if it is not the id of
    a run.
    """

    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the input datasets of each run, sorted by name and digest."""
        ...

    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the models whose source a run is, and those that it output, newest first."""
        ...

    async def of_experiments(self, ids: Sequence[str], page: "Page") -> "Pages":
        """Return a page of the models of each experiment, newest first.

        Raise `BadUserInput` for a position that the store did not issue.
        """
        ...

    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        """Count the models of each experiment; None for more than the scan limit."""
        ...

    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look up logged models by id; no row for an id that does not exist or is deleted."""
        ...

    async def params(self, ids: Sequence[str]) -> Many:
        """Return the params of each model, sorted by key."""
        ...

    async def tags(self, ids: Sequence[str]) -> Many:
        """Return the tags of each model, sorted by key."""
        ...

    async def metrics(self, ids: Sequence[str]) -> Many:
        """Return the last value of each metric of each model per run and dataset, sorted by key."""
        ...
