"""The `Tracking` port without a record cache, for one operation over a database."""

from typing import Any, cast

from schema.ports.artifacts import ArtifactStore
from schema.ports.tracking import Tracking, TrackingWithArtifacts


class DirectTracking:
    """Passes each call on to the store, in one state of it if it has the method `snapshot`.

    `single_read` states that the operation calls the store once at most.
    `min_ttl` is the TTL of the response in seconds. Nothing is read from a cache, so that the response has no
    `age` and combines no records of different times. Call `release` when the operation has read all.
    """

    age = None
    is_mixed = False

    def __init__(
        self, store: Tracking, artifacts: ArtifactStore, min_ttl: float, *, single_read: bool
    ) -> None:
        # Not a protocol to check against: that takes longer than the rest of this constructor.
        snapshot = getattr(store, "snapshot", None)
        self._store: Any = store if snapshot is None else snapshot(single_read=single_read)
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
