"""The port to artifacts: what is in the folders of runs and of logged models."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from schema.ports.table import Many

OwnerKind: TypeAlias = Literal["run", "model"]
"""What artifacts belong to."""


class Folder(NamedTuple):
    """A folder of artifacts: whose it is, and its path there with slashes; the path of the whole is empty."""

    owner_kind: OwnerKind
    owner: str
    path: str


class ArtifactStore(Protocol):
    """The artifacts of a tracking store.

    The columns of artifacts: owner_kind, owner, path, is_dir, size. `owner_kind` and `owner` are those of the
    requested folder; `path` is from the owner's root; `size` is in bytes, None of a folder or where unknown.
    """

    async def listings(self, folders: Sequence[Folder]) -> Many:
        """Return what is directly in each folder, by path; nothing where there is no such folder.

        Raises `BadUserInput` for a path that leads out of its root, `LimitExceeded` where the folders have
        more in them than the server lists at once.
        """
        ...
