"""The port to what runs read and made: datasets, and logged models with what was logged to them."""

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
    - metrics: those of a run's metrics, and dataset_name, dataset_digest

    Of both only the columns asked for need to be there; `params`, `tags` and `metrics` that were
    asked for by name may come along as a `Many`. A deleted logged model is not there. `source_run_id` is None
    where it is no run's id.
    """

    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the datasets that each run read, by name and digest."""
        ...

    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the models that each run is the source of or logged as its output, the newest first."""
        ...

    async def of_experiments(self, ids: Sequence[str], page: "Page") -> "Pages":
        """Return a page of each experiment's models, the newest first."""
        ...

    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        """Count each experiment's models; None where that passes the scan limit."""
        ...

    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look models up."""
        ...

    async def params(self, ids: Sequence[str]) -> Many:
        """Return the params of each model by key."""
        ...

    async def tags(self, ids: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        ...

    async def metrics(self, ids: Sequence[str]) -> Many:
        """Return the last value of each metric of each model by key, for each run and dataset."""
        ...
