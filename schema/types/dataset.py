"""Datasets: what runs read."""

import strawberry


@strawberry.type(description="A dataset that a run read, as it was logged: where the data is, not the data.")
class DatasetInput:
    """MLflow's DatasetInput, with the context that MLflow keeps in a tag of it."""

    name: str = strawberry.field(description="The dataset's name.")
    digest: str = strawberry.field(description="A fingerprint of what was in it.")
    source_type: str | None = strawberry.field(description="The kind of source, such as local or http.")
    source: str | None = strawberry.field(description="Where the data is, mostly as JSON.")
    schema: str | None = strawberry.field(description="The columns or tensors, mostly as JSON.")
    profile: str | None = strawberry.field(description="Figures of it, such as the number of rows, as JSON.")
    context: str | None = strawberry.field(
        description="What the run read it for, such as training or validation."
    )
