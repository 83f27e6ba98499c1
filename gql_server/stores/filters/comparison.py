"""One comparison of a filter, in the terms of the port's conditions."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from schema.ports.condition import KeyKind, Operator, Value

FilterKind: TypeAlias = KeyKind | Literal["dataset"]
"""What a key names; a dataset's key is `name`, `digest` or `context`."""


@dataclass(frozen=True, slots=True)
class FilterComparison:
    """A comparison with the value of a key.

    An attribute has MLflow's name, not an alias and not the port's name. `value` is a text, a tuple of texts
    for `in` and `not_in`, and a bool for `is_null`. Metrics are compared with a float, which may be infinite.
    Numeric attributes are compared with an int if the number is a whole one of 64 bits, and with a float
    otherwise. `text` is the comparison as a filter
    that each version of MLflow reads.
    """

    by: FilterKind
    key: str
    operator: Operator
    value: Value
    text: str
