"""A model registry that can be opened before it is used."""

from typing import Protocol

from schema.ports.registry import RegistryStore


class OpenableRegistry(RegistryStore, Protocol):
    """A registry that can be opened before it is used, to find errors in its configuration."""

    async def open(self) -> None:
        """Open the registry; raise `StoreConfigError` for an error in configuration that no retry fixes."""
        ...

    async def close(self) -> None:
        """Release connections and threads."""
        ...
