"""The ports of a tracking store to models: datasets and logged models, and the model registry."""

from typing import Protocol

from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore


class StorePorts(Protocol):
    """The ports to models. Each of their methods takes many keys and returns one result for each.

    A store that lacks a feature, such as logged models before MLflow 3, returns empty lists for it. It raises
    `UnsupportedByStore` only if an empty result could be mistaken for a correct one.
    """

    @property
    def models(self) -> ModelStore:
        """Return the port to datasets and logged models."""
        ...

    @property
    def registry(self) -> RegistryStore:
        """Return the port to the model registry, which may be in another store."""
        ...
