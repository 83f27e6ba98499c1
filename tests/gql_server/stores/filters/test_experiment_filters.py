"""Filters of experiments: what differs from those of runs."""

import pytest

from gql_server.stores.filters.experiment_filters import EXPERIMENT_FILTERS
from schema.ports.errors import BadUserInput

_ATTRIBUTES = "{'creation_time', 'experiment_id', 'last_update_time', 'name'}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name like 'a%'", ("attribute", "name", "like", "a%")),
        ("attributes.`name` = 'a'", ("attribute", "name", "eq", "a")),
        ("tags.`a b` != 'c'", ("tag", "a b", "ne", "c")),
        ("tag.a IS NULL", ("tag", "a", "is_null", True)),
        ("creation_time > 1.5", ("attribute", "creation_time", "gt", 1.5)),
        ("last_update_time < 1e400", ("attribute", "last_update_time", "lt", float("inf"))),
        ("experiment_id = '007'", ("attribute", "experiment_id", "eq", "7")),
        ("experiment_id NOT IN ('1', ' 2')", ("attribute", "experiment_id", "not_in", ("1", "2"))),
        ("tags.created = 'a'", ("tag", "created", "eq", "a")),
    ],
)
def test_comparison_is_read(text: str, expected: tuple[str, str, str, object]) -> None:
    """Keys, values and ids are read as the newest MLflow reads them."""
    (comparison,) = EXPERIMENT_FILTERS.parse(text)
    assert (comparison.by, comparison.key, comparison.operator, comparison.value) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "params.a = 'b'",
            "Invalid entity type 'params'. Valid entity types are ('attribute', 'attributes', 'tag', 'tags')",
        ),
        ("run_id = 'a'", f"Invalid attribute key 'run_id' specified. Valid keys are '{_ATTRIBUTES}'"),
        ("name IS NULL", "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"),
        (
            "name IN ('a')",
            "Only ['experiment_id'] attributes support comparison with a list of quoted string values.",
        ),
        ("experiment_id = 'x'", "Invalid experiment ID 'x'. Experiment ID must be a valid integer."),
        (
            "experiment_id LIKE '1'",
            "Invalid comparator 'LIKE' not one of '{'!=', '=', 'IN', 'NOT IN'}'",
        ),
    ],
)
def test_refused_filter_has_mlflows_message(text: str, message: str) -> None:
    """The error has MLflow's message; the sets in it are sorted."""
    with pytest.raises(BadUserInput) as refused:
        EXPERIMENT_FILTERS.parse(text)
    assert str(refused.value) == message
