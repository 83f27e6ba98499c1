"""The options with which asyncpg connects to the database of a SQLAlchemy URL."""

from typing import Any, Final

from sqlalchemy.engine import URL

_DSN_OPTIONS: Final = frozenset(
    {
        *("host", "port", "user", "password", "dbname", "passfile", "service", "target_session_attrs"),
        *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
    }
)
"""The options of libpq that asyncpg reads from a URL; it sends all others to the server as settings."""
_CONNECT_TIMEOUT: Final = "connect_timeout"
_SERVER_SETTINGS: Final = frozenset({"application_name"})


def asyncpg_options(url: URL, timeout: float) -> dict[str, Any] | None:
    """Return the arguments of `asyncpg.connect`; None for a URL with an option that asyncpg does not know.

    No statement runs longer than `timeout` seconds, and none may write.
    """
    known = _DSN_OPTIONS | _SERVER_SETTINGS | {_CONNECT_TIMEOUT}
    if url.get_backend_name() != "postgresql" or not known.issuperset(url.query):
        return None
    dsn = url.set(drivername="postgresql").difference_update_query([_CONNECT_TIMEOUT])
    return {
        "dsn": dsn.render_as_string(hide_password=False),
        "timeout": float(str(url.query[_CONNECT_TIMEOUT])),
        "server_settings": _settings(timeout),
    }


def _settings(timeout: float) -> dict[str, str]:
    # The driver sends them with the connection's first message, without a round trip of their own.
    return {
        "default_transaction_read_only": "on",
        # This server cancels statements that take too long; the limit in the database is for when this server
        # has stopped. A lock is reported before the call times out.
        "statement_timeout": str(int(timeout * 1000)),
        "lock_timeout": str(int(timeout * 800)),
        # Compiling a statement takes 150 ms, longer than any of these runs.
        "jit": "off",
    }
