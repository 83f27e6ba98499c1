"""The value of a metric in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, false


def value_of(metrics: FromClause) -> ColumnElement[Any]:
    """Return the value of a row of metrics, null if it is NaN: MLflow stores NaN as a flag."""
    return case((metrics.c.is_nan == false(), metrics.c.value))
