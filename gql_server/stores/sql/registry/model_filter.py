"""MLflow's filter strings as conditions on registered models."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.model_filters import MODEL_FILTERS
from gql_server.stores.mlflow_names import PROMPT_TAG
from gql_server.stores.sql.filter_comparison import compare, parse_filter
from gql_server.stores.sql.registry.registry_tables import REGISTERED, REGISTERED_TAGS
from gql_server.stores.sql.registry.registry_workspace import in_registry_workspace
from gql_server.stores.sql.session import Session


class ModelFilter:
    """A filter of registered models; raises `BadUserInput` if it is invalid.

    MLflow stores prompts as registered models. A filter finds prompts if its first comparison with their tag
    asks for them; otherwise it finds models, and its comparisons with this tag have no effect.
    """

    finds_prompts: bool

    def __init__(self, filter_: str | None) -> None:
        comparisons = parse_filter(MODEL_FILTERS, filter_)
        self.finds_prompts = _finds_prompts(comparisons)
        self._comparisons = [
            each for each in comparisons if self.finds_prompts or not _is_about_prompts(each)
        ]

    def conditions(self, session: Session) -> list[ColumnElement[bool]]:
        """Return the conditions of the filter, without those that the workspace and prompts add."""
        return [_condition(session, comparison) for comparison in self._comparisons]


def _is_about_prompts(comparison: FilterComparison) -> bool:
    return (comparison.by, comparison.key) == ("tag", PROMPT_TAG)


def _finds_prompts(comparisons: Sequence[FilterComparison]) -> bool:
    first = next(filter(_is_about_prompts, comparisons), None)
    requested = {"eq": "true", "ne": "false"}
    return first is not None and str(first.value).lower() == requested.get(first.operator)


def _condition(session: Session, comparison: FilterComparison) -> ColumnElement[bool]:
    if comparison.by == "attribute":
        return compare(session.dialect, REGISTERED.c.name, comparison)
    tags = REGISTERED_TAGS.c
    names = select(tags.name).where(
        *in_registry_workspace(session, REGISTERED_TAGS),
        session.dialect.same_text(tags.key, comparison.key),
        compare(session.dialect, tags.value, comparison),
    )
    return REGISTERED.c.name.in_(names)
