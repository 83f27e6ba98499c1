"""The entries of a folder of artifacts."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from schema.ports.errors import LimitExceeded


class ArtifactEntry(NamedTuple):
    """A file or a folder: its path from the root, and its size in bytes, None if unknown.

    `is_readable` is false if the storage lists the name, but cannot be asked for it.
    """

    path: str
    is_dir: bool
    size: int | None
    is_readable: bool = True


def too_many_entries(limit: int) -> LimitExceeded:
    """Return the error for folders with more than `limit` entries in total."""
    return LimitExceeded(
        f"These folders have more than the {limit:,} artifacts that this server lists at once "
        "(GQL_MAX_ARTIFACTS); request fewer folders, or read the artifact store directly."
    )


def sorted_entries(entries: Iterable[ArtifactEntry], limit: int) -> list[ArtifactEntry]:
    """Return the entries in the order of their paths.

    Raises `LimitExceeded` if there are more than `limit`, without reading further entries.
    """
    result = list(islice(entries, limit + 1))
    if len(result) > limit:
        raise too_many_entries(limit)
    return sorted(result)
