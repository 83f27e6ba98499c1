"""The statuses of a run."""

from enum import Enum

import strawberry


@strawberry.enum(description="Where a run is in its life.")
class RunStatus(Enum):
    """MLflow's RunStatus."""

    SCHEDULED = strawberry.enum_value("SCHEDULED", description="Waiting to run.")
    RUNNING = strawberry.enum_value("RUNNING", description="Started and not ended.")
    FINISHED = strawberry.enum_value("FINISHED", description="Ended well.")
    FAILED = strawberry.enum_value("FAILED", description="Ended with an error.")
    KILLED = strawberry.enum_value("KILLED", description="Stopped from outside.")
