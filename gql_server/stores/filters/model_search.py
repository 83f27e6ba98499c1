"""Searches of registered models: what a filter matches, and whether it finds models or prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.model_filters import MODEL_FILTERS
from gql_server.stores.mlflow_names import PROMPT_TAG
from gql_server.stores.text_validation import check_storable


@dataclass(frozen=True, slots=True)
class ModelSearch:
    """The comparisons that a model must match, and that of them which asks for prompts, if any.

    MLflow stores prompts as registered models. A filter finds prompts if its first comparison with their tag
    asks for them. Otherwise it finds models, and its comparisons with this tag have no effect.
    """

    comparisons: Sequence[FilterComparison]
    prompt_clause: FilterComparison | None


def parse_model_search(filter_: str | None) -> ModelSearch:
    """Return what a filter searches for; raise `BadUserInput` for one that is invalid or not storable."""
    check_storable("filter", filter_ or "")
    comparisons = MODEL_FILTERS.parse(filter_)
    first = next(filter(_is_about_prompts, comparisons), None)
    if first is not None and _asks_for_prompts(first):
        return ModelSearch(comparisons, first)
    return ModelSearch([each for each in comparisons if not _is_about_prompts(each)], None)


def _is_about_prompts(comparison: FilterComparison) -> bool:
    return (comparison.by, comparison.key) == ("tag", PROMPT_TAG)


def _asks_for_prompts(comparison: FilterComparison) -> bool:
    return str(comparison.value).lower() == {"eq": "true", "ne": "false"}.get(comparison.operator)
