"""Tracking URIs: the kind of store, the file or folder, and a form without the password."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from schema.ports.store_kind import StoreKind

_DATABASES = ("postgresql", "mysql", "mssql", "sqlite")
_KINDS = {
    "": StoreKind.FILE,
    "file": StoreKind.FILE,
    "http": StoreKind.MLFLOW_SERVER,
    "https": StoreKind.MLFLOW_SERVER,
    "azureml": StoreKind.AZURE_ML,
}
_DATABRICKS = {"databricks", "databricks-uc", "uc"}
"""URIs without a scheme that MLflow does not take for folders."""


def scheme_of(uri: str) -> str:
    """Return the scheme without the driver: postgresql for postgresql+psycopg2:, empty for a path."""
    return urlsplit(uri).scheme.partition("+")[0]


def kind_of(uri: str) -> StoreKind:
    """Return the kind of the store at a tracking URI."""
    scheme = scheme_of(uri)
    if scheme in _DATABASES:
        return StoreKind.SQL
    if uri in _DATABRICKS:
        return StoreKind.OTHER
    return _KINDS.get(scheme, StoreKind.OTHER)


def redacted_uri(uri: str) -> str:
    """Return the URI with *** in place of a password, for messages to the operator."""
    try:
        return make_url(uri).render_as_string() if kind_of(uri) is StoreKind.SQL else _masked(uri)
    except (ArgumentError, ValueError):
        return _masked(uri)


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for one in memory and for other databases."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    name = str(url.database)
    if not name.startswith("file:"):
        return Path(name)
    # SQLite's own form of URI, in which file::memory: and mode=memory name no file.
    name = unquote(name.removeprefix("file:"))
    if name == ":memory:" or url.query.get("mode") == "memory":
        return None
    return Path(re.sub(r"^//(localhost)?(?=/)", "", name))


def folder_of(uri: str) -> Path:
    """Return the folder of a file store."""
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)


def _masked(uri: str) -> str:
    return re.sub(r"(?<=//)([^/@:]*):.*@", r"\1:***@", uri, flags=re.DOTALL)
