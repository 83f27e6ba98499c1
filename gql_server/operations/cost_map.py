"""What fields cost: how many things one of them stands for where its arguments do not say.

The map is checked against the schema by a test. Fields that are not in it have sound defaults: an object
counts as one, a list of objects as `LISTED`, and an argument of `sizes` says it better where it is given.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from graphql import GraphQLSchema

LISTED: Final = 10
"""Objects in a list of which nothing is known."""

_ROWS: Final = 1000
"""Rows of a flat table, where `first` does not say how many."""
_GROUPS: Final = 100
"""Groups of runs: a sweep's, say."""
_POINTS: Final = 100
"""Points of a history: what is usual, for GQL_MAX_POINTS bounds what there really is."""
_POINTS_AN_OBJECT: Final = 10
"""Points that count as one object: they are completed as columns, at a tenth of an object's time or less."""
_SCHEMAS: Final = 4
"""Schemas whose own cost is kept; a server has one."""


class Cost(NamedTuple):
    """What one field costs, for each object that it is asked of."""

    items: int
    """Things that it stands for where no argument says."""

    by: tuple[str, ...] = ()
    """The arguments that say it better: a number of things, or the list of their names."""

    together: int = 1
    """Things that count as one object."""


COSTS: Final[dict[str, Cost]] = {
    "Query.nodes": Cost(LISTED, ("ids",)),
    "Query.experiments": Cost(50, ("first",)),
    "Query.runs": Cost(50, ("first",)),
    "Query.compareRuns": Cost(LISTED, ("runIds",)),
    # How many groups there are depends on the runs; the runs that are gone through have a bound of their own.
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
    "Experiment.tags": Cost(LISTED, ("keys",)),
    "Run.params": Cost(20, ("keys",)),
    "Run.metrics": Cost(LISTED, ("keys",)),
    "Run.tags": Cost(LISTED, ("keys",)),
    "Metric.history": Cost(_POINTS, ("maxPoints",), together=_POINTS_AN_OBJECT),
    "Metric.series": Cost(_POINTS, ("maxPoints",), together=_POINTS_AN_OBJECT),
}


@lru_cache(maxsize=_SCHEMAS)
def introspection(schema: GraphQLSchema) -> dict[str, Cost]:
    """Return the cost of a schema's own lists: all its types, and the mean of what they have."""
    types = schema.type_map.values()
    fields = [field for type_ in types for field in getattr(type_, "fields", {}).values()]
    return {
        "__Schema.types": Cost(len(types)),
        "__Type.fields": Cost(_mean(len(getattr(type_, "fields", ())) for type_ in types)),
        "__Field.args": Cost(_mean(len(getattr(field, "args", ())) for field in fields)),
    }


def _mean(lengths: Iterable[int]) -> int:
    counted = [length for length in lengths if length]
    return -(-sum(counted) // max(1, len(counted)))


def sizes(argument: str) -> bool:
    """Say whether an argument of this name says how many things a field stands for."""
    return argument in {"first", "last", "limit", "maxPoints", "keys", "ids"} or argument.endswith("Ids")


def cost_of(type_name: str, field_name: str, arguments: tuple[str, ...], *, is_list: bool) -> Cost:
    """Return what a field costs, by the map or else by its arguments and type."""
    known = COSTS.get(f"{type_name}.{field_name}")
    if known is not None:
        return known
    # Pages before lists of names: runs(experimentIds:, first:) has `first` runs.
    by = sorted(filter(sizes, arguments), key=lambda name: name.endswith(("keys", "ids", "Ids")))
    return Cost(LISTED if is_list else 1, tuple(by))
