"""The lifecycle stages of experiments and runs, and which of them a search includes."""

from enum import Enum

import strawberry


@strawberry.enum(description="The lifecycle stages that a search includes.")
class LifecycleView(Enum):
    """MLflow's ViewType."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="Active objects only.")
    DELETED = strawberry.enum_value("DELETED", description="Deleted objects that can be restored.")
    ALL = strawberry.enum_value("ALL", description="Active and deleted objects.")


@strawberry.enum(description="The lifecycle stage of an experiment or a run.")
class LifecycleStage(Enum):
    """MLflow's lifecycle_stage, in capitals."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="Not deleted.")
    DELETED = strawberry.enum_value("DELETED", description="Deleted; can be restored.")
