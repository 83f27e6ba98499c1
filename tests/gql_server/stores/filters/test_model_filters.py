"""Filters of registered models: what differs from those of runs."""

import pytest

from gql_server.stores.filters.model_filters import MODEL_FILTERS
from schema.ports.errors import BadUserInput


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name ilike 'a%'", ("attribute", "name", "ilike", "a%")),
        ("attribute.name IN ('a', \"b\")", ("attribute", "name", "in", ("a", "b"))),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", ("tag", "mlflow.prompt.is_prompt", "ne", "true")),
    ],
)
def test_comparison_is_read(text: str, expected: tuple[str, str, str, object]) -> None:
    """Names, lists of names and tags are read as the newest MLflow reads them."""
    (comparison,) = MODEL_FILTERS.parse(text)
    assert (comparison.by, comparison.key, comparison.operator, comparison.value) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("`name` = 'a'", "Invalid attribute key '`name`' specified. Valid keys are '{'name'}'"),
        (
            "attributes.name = 'a'",
            "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
        ),
        ("tags.a IS NULL", "IS NULL / IS NOT NULL is not supported for registered model search."),
        (
            "name = 5",
            "Expected a quoted string value or a list of quoted string values for attributes. Got value 5",
        ),
        ("name > 'a'", "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'IN', 'LIKE', 'NOT IN'}'"),
    ],
)
def test_refused_filter_has_mlflows_message(text: str, message: str) -> None:
    """The error has MLflow's message; the sets in it are sorted."""
    with pytest.raises(BadUserInput) as refused:
        MODEL_FILTERS.parse(text)
    assert str(refused.value) == message
