"""The stages of an experiment's or a run's life, and which of them a search sees."""

from enum import Enum

import strawberry


@strawberry.enum(description="Which stages of the life cycle a search sees.")
class LifecycleView(Enum):
    """MLflow's ViewType."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="What is in use.")
    DELETED = strawberry.enum_value("DELETED", description="What is deleted and can be restored.")
    ALL = strawberry.enum_value("ALL", description="Both.")


@strawberry.enum(description="Whether a thing is in use or deleted; what is deleted can be restored.")
class LifecycleStage(Enum):
    """MLflow's lifecycle_stage, in capitals."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="In use.")
    DELETED = strawberry.enum_value("DELETED", description="Deleted, and still there to be restored.")
