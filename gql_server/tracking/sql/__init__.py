"""MLflow's SQL databases, read directly: the port over MLflow's own tables, set at a time."""

from gql_server.tracking.sql.store import SqlTracking

__all__ = ["SqlTracking"]
