"""The port over an MLflow server that receives each caller's own credentials."""

from contextlib import suppress

from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import Forbidden, Unauthenticated


class PassThroughTracking(MlflowTracking):
    """An MLflow server to which this server passes the caller's credentials, having none itself."""

    async def ready(self) -> None:
        """Return when the store responds, even if it refuses a request without credentials."""
        with suppress(Unauthenticated, Forbidden):
            await super().ready()

    async def verify_caller(self) -> None:
        """Return if the store accepts the caller's credentials; raise Unauthenticated or Forbidden if not."""
        await super().ready()
