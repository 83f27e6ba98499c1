"""Connections of runs."""

import strawberry

from schema.types.connection import PageInfo
from schema.types.run import Run


@strawberry.type(description="A run at its place in a connection.")
class RunEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this run, to give as after.")
    node: Run = strawberry.field(description="The run.")


@strawberry.type(description="A page of runs.")
class RunConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[RunEdge] = strawberry.field(description="The page's runs with their cursors.")
    nodes: list[Run] = strawberry.field(description="The page's runs.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "How many runs match in all; counted only when selected, "
            "and null where counting would pass the scan limit of the server."
        )
    )
