"""Datasets: the inputs of runs."""

import strawberry


@strawberry.type(
    description="A dataset that a run used as input. MLflow stores a description of it, not its data."
)
class DatasetInput:
    """MLflow's DatasetInput, with the context that MLflow stores in its tags."""

    name: str = strawberry.field(description="The name of the dataset.")
    digest: str = strawberry.field(description="A fingerprint of the data.")
    source_type: str | None = strawberry.field(description="The type of the source, such as local or http.")
    source: str | None = strawberry.field(description="The location of the data, usually as JSON.")
    schema: str | None = strawberry.field(
        description="The columns or tensors of the data, usually as JSON; null if not logged."
    )
    profile: str | None = strawberry.field(
        description="Statistics of the data, such as the number of rows, as JSON; null if not logged."
    )
    context: str | None = strawberry.field(
        description="The purpose of the data, such as training or validation; null if not logged."
    )
