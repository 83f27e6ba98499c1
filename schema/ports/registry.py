"""The port to the model registry: registered models, their versions and aliases."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from schema.ports.store_info import StoreFeature
from schema.ports.table import Many, One

if TYPE_CHECKING:
    from schema.ports.tracking import Page, Pages


class VersionKey(NamedTuple):
    """The key of a model version: the name of its registered model, and its number as text."""

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

    Tables of models and versions need to have only the requested columns. A store may also return the
    requested names `tags` and, for models, `aliases` as `Many` columns; the graph then does not request them
    again. Deleted versions are not returned. MLflow stores prompts as registered models; a search returns
    them only if its filter selects them, and lookups find them with their versions. `stage` is None if none
    was ever set. `source_run_id` and `logged_model_id` are None if the version was not made from a run or
    from a logged model.
    """

    async def features(self) -> Collection[StoreFeature]:
        """Return which of `REGISTRY_FEATURES` the registry has; none without a registry."""
        ...

    async def models(self, filter_: str | None, page: "Page") -> "Pages":
        """Return one page of the models that match MLflow's filter string, sorted by name.

        None matches all. Raise `BadUserInput` for a filter that MLflow does not accept and for a position
        that the store did not issue.
        """
        ...

    async def count_models(self, filter_: str | None) -> int | None:
        """Count the models that match a filter; None for more than the scan limit."""
        ...

    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look up models by their exact names."""
        ...

    async def model_tags(self, names: Sequence[str]) -> Many:
        """Return the tags of each model, sorted by key."""
        ...

    async def aliases(self, names: Sequence[str]) -> Many:
        """Return the aliases of each model, sorted by alias. Their versions need not exist."""
        ...

    async def versions(self, names: Sequence[str], page: "Page") -> "Pages":
        """Return a page of the versions of each model, latest first.

        Raise `BadUserInput` for a position that the store did not issue.
        """
        ...

    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        """Count the versions of each model; None for more than the scan limit."""
        ...

    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        """Look up versions. Raise `BadUserInput` for a version that is not a whole number."""
        ...

    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the versions that were made from each run, sorted by name, then latest first."""
        ...

    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        """Return the tags of each version, sorted by key."""
        ...
