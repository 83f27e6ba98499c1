"""The identity of the file or folder of a local store, to detect its deletion or replacement."""

from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from gql_server.stores.database_url import parse_database_url
from gql_server.stores.uri import folder_of, kind_of, sqlite_file
from schema.ports.errors import StoreUnavailable
from schema.ports.store_kind import StoreKind

FileIdentity: TypeAlias = tuple[int, int] | None
"""Device and inode of a file or folder; None for a store without one."""


def file_identity(uri: str) -> FileIdentity:
    """Return the identity of a local store's file or folder; raise `StoreUnavailable` if it is gone.

    An open connection continues to read a SQLite file that was deleted or replaced.
    """
    path = _path_of(uri)
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError as error:
        message = "The file or folder of the tracking store no longer exists."
        raise StoreUnavailable(message) from error
    return status.st_dev, status.st_ino


@lru_cache(maxsize=16)
def _path_of(uri: str) -> Path | None:
    # Each short read asks for the identity, and parsing a URI takes ten times as long as the system's call.
    kind = kind_of(uri)
    if kind is StoreKind.SQL:
        return sqlite_file(parse_database_url(uri))
    return folder_of(uri) if kind is StoreKind.FILE else None
