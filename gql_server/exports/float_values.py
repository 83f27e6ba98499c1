"""Metric values as floats, NaN and the infinities among them."""

from collections.abc import Sequence

from schema.ports.non_finite import joined
from schema.ports.table import Table


def float_values(metrics: Table) -> Sequence[float]:
    """Return the values of a table of metrics or points, whose columns are `value` and `non_finite`."""
    return list(map(joined, metrics["value"], metrics["non_finite"]))


def with_float_values(rows: Table) -> Table:
    """Return a table with all values of metrics in its column `value`; other tables are unchanged."""
    if "non_finite" not in rows.columns:
        return rows
    return Table(rows.size, {**rows.columns, "value": float_values(rows)})
