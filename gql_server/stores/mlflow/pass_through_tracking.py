"""The port over an MLflow server that answers each caller by their own credentials."""

from contextlib import suppress

from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import Forbidden, Unauthenticated


class PassThroughTracking(MlflowTracking):
    """MLflow's store, where this server has no credentials of its own."""

    async def ready(self) -> None:
        """Return when the store answers, be it that it does not know who asks."""
        with suppress(Unauthenticated, Forbidden):
            await super().ready()

    async def prove(self) -> None:
        """Return where the server knows who asks; raise Unauthenticated or Forbidden where it does not."""
        await super().ready()
