"""The connection of runs."""

import strawberry

from schema.types.connection import Connection
from schema.types.run import Run


@strawberry.type(description="A page of runs.")
class RunConnection(Connection[Run]):
    """The connection of runs."""
