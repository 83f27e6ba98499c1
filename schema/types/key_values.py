"""Params and tags: text under a key."""

import strawberry


@strawberry.type(description="A parameter of a run, such as a learning rate: text under a key, logged once.")
class Param:
    """MLflow's Param."""

    key: str = strawberry.field(description="The name that it was logged under.")
    value: str = strawberry.field(description="The value, always as text.")


@strawberry.type(description="A tag of a run or an experiment: text under a key, which may change.")
class Tag:
    """MLflow's RunTag and ExperimentTag."""

    key: str = strawberry.field(description="The tag's name; MLflow's own begin with mlflow.")
    value: str = strawberry.field(description="The value, always as text.")
