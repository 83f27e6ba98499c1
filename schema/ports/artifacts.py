"""The port to artifacts: the files and folders of runs and of logged models."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from schema.ports.table import Many

OwnerKind: TypeAlias = Literal["run", "model"]
"""The kind of object that artifacts belong to: a run or a logged model."""


class Folder(NamedTuple):
    """A folder of artifacts.

    `owner` is the id of a run or of a logged model. `path` is relative to the owner's root, with slashes; the
    empty path is the root.
    """

    owner_kind: OwnerKind
    owner: str
    path: str


class ArtifactStore(Protocol):
    """The artifacts of a tracking store.

    Columns: owner_kind, owner, path, is_dir, size, is_readable, error. `owner_kind` and `owner` are those of
    the requested folder. `path` is relative to the owner's root. `size` is in bytes; it is None for a folder
    and for a file of unknown size. `is_readable` is false for a name that the storage can list but not find
    again, so that the file cannot be downloaded and the folder not be listed. `error` is None, except in the
    only row of a folder that could not be listed: there it is the exception, and the other columns have no
    meaning.
    """

    async def listings(self, folders: Sequence[Folder]) -> Many:
        """Return the direct children of each folder, sorted by path; none if the folder does not exist.

        A folder that cannot be listed does not affect the others. Its error is, for example, `BadUserInput`
        for a path that leads out of the owner's root. Raise `LimitExceeded` if the folders have more than
        `GQL_MAX_ARTIFACTS` children in total, and the errors of the store of the owners.
        """
        ...
