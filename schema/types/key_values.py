"""Params and tags: text values under keys."""

import strawberry


@strawberry.type(description="A parameter of a run or a logged model, such as a learning rate.")
class Param:
    """MLflow's Param."""

    key: str = strawberry.field(description="The key of the parameter.")
    value: str = strawberry.field(description="The value as text. It cannot change after it was logged.")


@strawberry.type(description="A tag of an experiment, a run or a model.")
class Tag:
    """MLflow's RunTag and ExperimentTag."""

    key: str = strawberry.field(
        description="The key of the tag. Keys of MLflow's own tags begin with mlflow."
    )
    value: str = strawberry.field(description="The value as text.")
