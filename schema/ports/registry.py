"""The port to the model registry: registered models, their versions and aliases."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from schema.ports.table import Many, One

if TYPE_CHECKING:
    from schema.ports.tracking import Page, Pages


class VersionKey(NamedTuple):
    """What names a version: its registered model, and its number as text."""

    name: str
    version: str


class RegistryStore(Protocol):
    """A model registry.

    The columns of each table:

    - registered models: name, description, created_at, updated_at
    - versions: name, version, stage, status, description, source, created_at, updated_at, source_run_id,
      logged_model_id
    - aliases: alias, version
    - tags: key, value

    Of models and versions only the columns asked for need to be there; `tags` and a model's `aliases` that
    were asked for may come along as a `Many`. Prompts, which MLflow keeps as registered models, are not there
    unless a filter asks for them, nor are versions that were deleted. `stage` is None where none was ever
    set; `source_run_id` and `logged_model_id` are None where a version was not made of a run or of a logged
    model.
    """

    async def models(self, filter_: str | None, page: "Page") -> "Pages":
        """Return one page of the models that MLflow's filter string finds, by name."""
        ...

    async def count_models(self, filter_: str | None) -> int | None:
        """Count the models that a filter finds; None where that passes the scan limit."""
        ...

    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look models up by their exact names."""
        ...

    async def model_tags(self, names: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        ...

    async def aliases(self, names: Sequence[str]) -> Many:
        """Return the aliases of each model by alias, with the versions that they name, there or not."""
        ...

    async def versions(self, names: Sequence[str], page: "Page") -> "Pages":
        """Return a page of each model's versions, the latest first."""
        ...

    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        """Count each model's versions; None where that passes the scan limit."""
        ...

    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        """Look versions up."""
        ...

    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the versions that were made from each run, by name, the latest first."""
        ...

    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        """Return the tags of each version by key."""
        ...
