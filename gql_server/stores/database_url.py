"""URLs of databases: parsing, and the options with which this server connects."""

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri, sqlite_file

_CONNECT_TIMEOUT_SECONDS = 10
_BACKENDS_WITH_TIMEOUT = {"postgresql", "mysql"}


def parse_database_url(uri: str) -> URL:
    """Return the parts of a database URI; raise `StoreConfigError` if it is invalid."""
    try:
        return make_url(uri)
    except (ArgumentError, ValueError):
        message = f"{redacted_uri(uri)} is not a database URI that SQLAlchemy can read."
        raise StoreConfigError(message) from None


def connection_url(uri: str) -> URL:
    """Return the URL to connect to, which has a connection timeout and creates no SQLite file.

    Raises `StoreConfigError` if a SQLite file does not exist, because connecting would create it.
    """
    url = parse_database_url(uri)
    path = sqlite_file(url)
    if path is None:
        return url if url.get_backend_name() == "sqlite" else _with_connect_timeout(url)
    if not path.is_file():
        message = f"{redacted_uri(uri)}: there is no such file."
        raise StoreConfigError(message)
    if url.query.get("uri"):
        return url if "mode" in url.query else url.update_query_dict({"mode": "rw"})
    quoted = re.sub(r"[%?#]", lambda match: f"%{ord(match[0]):02X}", str(path.absolute()))
    return url.set(database=f"file:{quoted}").update_query_dict({"mode": "rw", "uri": "true"})


def read_only_url(uri: str) -> URL:
    """Return the URL to connect to for reading, in which a SQLite file is opened without the right to write.

    Raises `StoreConfigError` as `connection_url` does.
    """
    url = connection_url(uri)
    if url.get_backend_name() != "sqlite" or url.query.get("mode") not in {"rw", "rwc"}:
        return url
    return url.update_query_dict({"mode": "ro"})


def _with_connect_timeout(url: URL) -> URL:
    if url.get_backend_name() not in _BACKENDS_WITH_TIMEOUT or "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT_SECONDS)})
