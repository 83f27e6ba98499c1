"""What a tracking store holds beside experiments and runs, as ports of their own."""

from typing import Protocol

from schema.artifact_store import Artifacts
from schema.model_store import Models
from schema.registry import Registry


class Holdings(Protocol):
    """The ports beside `Tracking`; like it, each of their methods takes many keys and answers for all.

    A store that does not have a thing at all, such as logged models before MLflow 3, has none of it: it
    answers with empty lists. Only what could be mistaken for a right answer is `UnsupportedByStore`.
    """

    @property
    def models(self) -> Models:
        """Return the port to what runs read and made: datasets and logged models."""
        ...

    @property
    def registry(self) -> Registry:
        """Return the port to the model registry, which may be in another store."""
        ...

    @property
    def artifacts(self) -> Artifacts:
        """Return the port to the files of runs and logged models."""
        ...
