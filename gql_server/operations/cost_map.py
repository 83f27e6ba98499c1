"""The cost of each field: how many items it returns if its arguments do not specify that.

A test checks the map against the schema. The default for a field that is not in it is 1 for an object and
`LIST_ITEMS` for a list of objects; an argument that specifies a size replaces it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from graphql import GraphQLSchema

LIST_ITEMS: Final = 10
"""Objects in a list of unknown length."""

_ROWS: Final = 1000
"""Rows of a flat table without `first`."""
_GROUPS: Final = 100
"""Groups of runs, as of a sweep."""
_POINTS: Final = 100
"""The usual number of points of a history; GQL_MAX_POINTS limits the real one."""
_POINTS_PER_OBJECT: Final = 10
"""Points that count as one object: they are completed as columns, in at most a tenth of an object's time."""
_CACHED_SCHEMAS: Final = 4
"""Schemas whose introspection costs are cached; a server has one."""


class Cost(NamedTuple):
    """The cost of one field, for each parent object."""

    items: int
    """The number of items if no argument specifies it."""

    size_arguments: tuple[str, ...] = ()
    """The arguments that specify the number of items, as a number or a list; the first one given counts."""

    items_per_object: int = 1
    """Items that count as one object."""


COSTS: Final[dict[str, Cost]] = {
    "Query.nodes": Cost(LIST_ITEMS, ("ids",)),
    "Query.experiments": Cost(50, ("first",)),
    "Query.runs": Cost(50, ("first",)),
    "Query.compareRuns": Cost(LIST_ITEMS, ("runIds",)),
    # The number of groups depends on the runs. Separate limits apply to the runs that are scanned.
    "Query.runGroups": Cost(_GROUPS),
    "Query.registeredModels": Cost(50, ("first",)),
    "Query.experimentRows": Cost(_ROWS, ("first",)),
    "Query.runRows": Cost(_ROWS, ("first",)),
    "Query.paramRows": Cost(_ROWS, ("first",)),
    "Query.tagRows": Cost(_ROWS, ("first",)),
    "Query.metricRows": Cost(_ROWS, ("first",)),
    "Query.metricPointRows": Cost(_ROWS, ("first",)),
    "Experiment.loggedModels": Cost(50, ("first",)),
    "RegisteredModel.versions": Cost(50, ("first",)),
    "Run.children": Cost(50, ("first",)),
    "Experiment.runs": Cost(50, ("first",)),
    "Experiment.tags": Cost(LIST_ITEMS, ("keys",)),
    "Run.params": Cost(20, ("keys",)),
    "Run.metrics": Cost(LIST_ITEMS, ("keys",)),
    "Run.tags": Cost(LIST_ITEMS, ("keys",)),
    "Metric.history": Cost(_POINTS, ("maxPoints",), items_per_object=_POINTS_PER_OBJECT),
    "Metric.series": Cost(_POINTS, ("maxPoints",), items_per_object=_POINTS_PER_OBJECT),
    "Subscription.experiments": Cost(50, ("first",)),
    "Subscription.runs": Cost(50, ("first",)),
    "Subscription.compareRuns": Cost(LIST_ITEMS, ("runIds",)),
    "Subscription.runGroups": Cost(_GROUPS),
    "Subscription.metricPoints": Cost(1, ("runIds",)),
    "MetricPointBatch.series": Cost(LIST_ITEMS),
    "MetricPointSeries.points": Cost(_POINTS, items_per_object=_POINTS_PER_OBJECT),
}


@lru_cache(maxsize=_CACHED_SCHEMAS)
def introspection_costs(schema: GraphQLSchema) -> dict[str, Cost]:
    """Return the costs of a schema's own lists: the number of its types, and the mean of their fields."""
    types = schema.type_map.values()
    fields = [field for type_ in types for field in getattr(type_, "fields", {}).values()]
    return {
        "__Schema.types": Cost(len(types)),
        "__Type.fields": Cost(_mean(len(getattr(type_, "fields", ())) for type_ in types)),
        "__Field.args": Cost(_mean(len(getattr(field, "args", ())) for field in fields)),
    }


def _mean(lengths: Iterable[int]) -> int:
    positive = [length for length in lengths if length]
    return -(-sum(positive) // max(1, len(positive)))


def is_size_argument(name: str) -> bool:
    """Report whether an argument of this name specifies how many items a field returns."""
    return name in {"first", "last", "limit", "maxPoints", "keys", "ids"} or name.endswith("Ids")


def field_cost(type_name: str, field_name: str, arguments: tuple[str, ...], *, is_list: bool) -> Cost:
    """Return the cost of a field from the map, or else from its arguments and type."""
    cost = COSTS.get(f"{type_name}.{field_name}")
    if cost is not None:
        return cost
    # Page sizes before lists of ids: runs(experimentIds:, first:) returns `first` runs.
    sizes = sorted(
        filter(is_size_argument, arguments), key=lambda name: name.endswith(("keys", "ids", "Ids"))
    )
    return Cost(LIST_ITEMS if is_list else 1, tuple(sizes))
