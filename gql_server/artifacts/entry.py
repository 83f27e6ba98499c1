"""What is in a folder of artifacts."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from schema.ports.errors import LimitExceeded


class Entry(NamedTuple):
    """A file or a folder: its path from the root, and its size in bytes, None where it is not known."""

    path: str
    is_dir: bool
    size: int | None


def too_many(most: int) -> LimitExceeded:
    """Return the fault of folders that hold more than may be listed."""
    return LimitExceeded(
        f"These folders have more than the {most:,} artifacts that this server lists at once "
        "(GQL_MAX_ARTIFACTS); ask for fewer folders, or read the store itself."
    )


def at_most(entries: Iterable[Entry], most: int) -> list[Entry]:
    """Return the entries by path; LimitExceeded where there are more, and no more of them is made then."""
    found = list(islice(entries, most + 1))
    if len(found) > most:
        raise too_many(most)
    return sorted(found)
