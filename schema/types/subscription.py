"""The root type of subscriptions."""

import strawberry

from schema.types.live_fields import LiveFields


@strawberry.type(
    description=(
        "The root type of subscriptions. Each field is that of `Query`: the first event is its answer, and "
        "another event follows whenever the answer differs. Equal "
        "subscriptions read the store once."
    )
)
class Subscription(LiveFields):
    """Live queries. Each event is one execution of the operation, as of a query."""
