"""The reader for the event loop, where there can be one."""

from importlib.util import find_spec

from gql_server.config.limits import StoreLimits
from gql_server.stores.database_url import connection_url
from gql_server.stores.sql.event_loop.asyncpg_options import asyncpg_options
from gql_server.stores.sql.event_loop.loop_reader import LoopReader
from gql_server.stores.store_config_error import StoreConfigError


def loop_reader_for(uri: str, limits: StoreLimits) -> LoopReader | None:
    """Return a reader for a PostgreSQL database; None for others, and without asyncpg.

    A URI that names a driver gets one, too: the driver is that of MLflow, and of the worker threads.
    """
    if find_spec("asyncpg") is None or find_spec("greenlet") is None:
        return None
    try:
        options = asyncpg_options(connection_url(uri), limits.store_timeout)
    except StoreConfigError:
        # Whoever opens the database reports it.
        return None
    return None if options is None else LoopReader(options, limits.database_threads)
