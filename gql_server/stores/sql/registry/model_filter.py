"""MLflow's filter strings as conditions on registered models."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.sql.comparisons import compare_text
from gql_server.stores.sql.registry.registry_tables import REGISTERED, REGISTERED_TAGS
from gql_server.stores.sql.registry.registry_workspace import in_registry_workspace
from gql_server.stores.sql.session import Session


def model_conditions(session: Session, comparisons: Iterable[FilterComparison]) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter, without those that the workspace and prompts add."""
    return [_condition(session, comparison) for comparison in comparisons]


def _condition(session: Session, comparison: FilterComparison) -> ColumnElement[bool]:
    operator, value = comparison.operator, comparison.value
    if comparison.by == "attribute":
        return compare_text(session.dialect, REGISTERED.c.name, operator, value)
    tags = REGISTERED_TAGS.c
    names = select(tags.name).where(
        *in_registry_workspace(session, REGISTERED_TAGS),
        session.dialect.same_text(tags.key, comparison.key),
        compare_text(session.dialect, tags.value, operator, value),
    )
    return REGISTERED.c.name.in_(names)
