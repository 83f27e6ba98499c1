"""The statuses of a run."""

from enum import Enum

import strawberry


@strawberry.enum(description="The status of a run.")
class RunStatus(Enum):
    """MLflow's RunStatus."""

    SCHEDULED = strawberry.enum_value("SCHEDULED", description="The run has not started yet.")
    RUNNING = strawberry.enum_value("RUNNING", description="The run has started and not ended.")
    FINISHED = strawberry.enum_value("FINISHED", description="The run has ended successfully.")
    FAILED = strawberry.enum_value("FAILED", description="The run has ended with an error.")
    KILLED = strawberry.enum_value("KILLED", description="The run was stopped before its end.")
