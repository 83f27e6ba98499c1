"""What a tracking store holds beside experiments and runs, as ports of their own."""

from typing import Protocol

from schema.ports.artifacts import ArtifactStore
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore


class StorePorts(Protocol):
    """The ports beside `Tracking`; like it, each of their methods takes many keys and answers for all.

    A store that does not have a thing at all, such as logged models before MLflow 3, has none of it: it
    answers with empty lists. Only what could be mistaken for a right answer is `UnsupportedByStore`.
    """

    @property
    def models(self) -> ModelStore:
        """Return the port to what runs read and made: datasets and logged models."""
        ...

    @property
    def registry(self) -> RegistryStore:
        """Return the port to the model registry, which may be in another store."""
        ...

    @property
    def artifacts(self) -> ArtifactStore:
        """Return the port to the files of runs and logged models."""
        ...
