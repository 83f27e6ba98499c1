"""One comparison of a filter, in the terms of the port's conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schema.ports.condition import Operator, Predicate, PredicateKind, Value

OPERATORS: Final[Mapping[str, Operator]] = {
    "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte",
    "LIKE": "like", "ILIKE": "ilike", "IN": "in", "NOT IN": "not_in",
}  # fmt: skip
"""The operators of filters, and what the port calls them."""
NULL_TESTS: Final = {"IS NULL": True, "IS NOT NULL": False}
"""The operators without a value, and the value that the port's `is_null` has for them."""

_PORT_NAMES: Final[Mapping[str, str]] = {
    "run_name": "name",
    "start_time": "started_at",
    "end_time": "ended_at",
    "creation_time": "created_at",
    "last_update_time": "updated_at",
}
"""The port's names of attributes, where they differ from MLflow's."""


@dataclass(frozen=True, slots=True)
class FilterComparison:
    """A comparison with the value of a key.

    An attribute has MLflow's name, not an alias and not the port's name. `value` is a text, a tuple of texts
    for `in` and `not_in`, and a bool for `is_null`. Metrics are compared with a float, which may be infinite.
    Numeric attributes are compared with an int if the number is a whole one of 64 bits, and with a float
    otherwise. `text` is the comparison as a filter that each version of MLflow reads.
    """

    by: PredicateKind
    key: str
    operator: Operator
    value: Value
    text: str

    @property
    def predicate(self) -> Predicate:
        """Return the comparison as a condition of the port."""
        key = _PORT_NAMES.get(self.key, self.key) if self.by == "attribute" else self.key
        return Predicate(self.by, key, self.operator, self.value)
