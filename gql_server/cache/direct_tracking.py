"""The `Tracking` port without a record cache, for one operation over a database."""

from typing import Any, Protocol, cast, runtime_checkable

from schema.ports.artifacts import ArtifactStore
from schema.ports.tracking import Tracking, TrackingWithArtifacts


@runtime_checkable
class HasSnapshots(Protocol):
    """A store whose reads of one operation can be of one state."""

    def snapshot(self, *, single_read: bool) -> Tracking:
        """Return the port for one operation; `single_read` states that it calls the port once at most."""
        ...


class DirectTracking:
    """Passes each call on to the store, in one state of it if it has snapshots.

    `min_ttl` is the TTL of the response in seconds. Nothing is read from a cache, so that the response has no
    `age` and combines no records of different times. Call `release` when the operation has read all.
    """

    age = None
    is_mixed = False

    def __init__(
        self, store: Tracking, artifacts: ArtifactStore, min_ttl: float, *, single_read: bool
    ) -> None:
        self._store: Any = store
        if isinstance(store, HasSnapshots):
            self._store = store.snapshot(single_read=single_read)
        self.artifacts = artifacts
        self.min_ttl = min_ttl

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the store."""
        return getattr(self._store, name)

    def release(self) -> None:
        """End the snapshot, without waiting for its end."""
        release = getattr(self._store, "release", None)
        if release is not None:
            release()

    @property
    def port(self) -> TrackingWithArtifacts:
        """Return this object by the type of the port whose methods it passes on."""
        return cast("TrackingWithArtifacts", self)
