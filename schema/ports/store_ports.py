"""The ports of a tracking store for models: datasets and logged models, and the model registry."""

from typing import Protocol

from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore


class StorePorts(Protocol):
    """The ports that a tracking store has for models; each of their methods takes many keys.

    A store without a feature, such as logged models before MLflow 3, returns empty lists for it. It raises
    `UnsupportedByStore` only where an empty list could be mistaken for a correct result.
    """

    @property
    def models(self) -> ModelStore:
        """Return the port to what runs read and made: datasets and logged models."""
        ...

    @property
    def registry(self) -> RegistryStore:
        """Return the port to the model registry, which may be in another store."""
        ...
