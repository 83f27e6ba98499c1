"""Errors of stores, as errors that a client may read."""

import sys

from gql_server.runtime.full_disk import is_full_disk
from gql_server.stores.error_chain import error_chain
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import PublicError, StoreUnavailable


def public_error_from(error: BaseException) -> PublicError | None:
    """Return the public form of an error; None for a bug, and for a message that must not reach a client."""
    if isinstance(error, PublicError):
        return error
    if isinstance(error, StoreConfigError):
        return StoreUnavailable("The tracking store is not usable; the server's log has the reason.")
    if any(map(is_full_disk, error_chain(error))):
        return StoreUnavailable("There is not enough disk space on this server.")
    if "mlflow.exceptions" not in sys.modules:
        # MLflow takes seconds to import, and an error cannot be of a library that is not there.
        return None
    from gql_server.stores.mlflow.client_errors import public_error_from_library  # noqa: PLC0415

    return public_error_from_library(error)
