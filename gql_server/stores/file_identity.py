"""The identity of the file or folder of a local store, to detect its deletion or replacement."""

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
    kind = kind_of(uri)
    path = sqlite_file(parse_database_url(uri)) if kind is StoreKind.SQL else None
    path = folder_of(uri) if kind is StoreKind.FILE else path
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError as error:
        message = "The file or folder of the tracking store no longer exists."
        raise StoreUnavailable(message) from error
    return status.st_dev, status.st_ino
