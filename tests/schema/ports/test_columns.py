"""Requested columns, with the keys of those of which only some keys are needed."""

import pytest

from schema.ports.columns import Columns, keys_of
from schema.ports.tracking import Page

RESTRICTED = Columns({"run_id", "params", "tags"}, {"params": frozenset("ab")})


def test_keys_of_a_column() -> None:
    """A restricted column has its keys; other columns and plain sets stand for all keys."""
    assert keys_of(RESTRICTED, "params") == frozenset("ab")
    assert keys_of(RESTRICTED, "tags") is None
    assert keys_of({"params"}, "params") is None


def test_columns_are_a_set_of_names() -> None:
    """Columns without keys equal a set of names, and a set operation returns all keys."""
    assert Columns({"a"}) == {"a"} == Columns({"a"})
    assert "params" in RESTRICTED
    assert keys_of(RESTRICTED | {"status"}, "params") is None


@pytest.mark.parametrize(
    "other", [frozenset(RESTRICTED), Columns(RESTRICTED), RESTRICTED.with_all(["params"])]
)
def test_columns_with_other_keys_differ(other: frozenset[str]) -> None:
    """Columns with the same names and other keys are not equal, on either side and in a page."""
    assert other != RESTRICTED
    assert not other == RESTRICTED  # noqa: SIM201 - `==` is tested
    assert Page(1, None, RESTRICTED) != Page(1, None, other)


def test_further_columns_have_all_keys() -> None:
    """`with_all` adds columns, and all keys of those that were restricted."""
    assert RESTRICTED.with_all(["status"]) == Columns(
        {"run_id", "params", "tags", "status"}, {"params": frozenset("ab")}
    )
    assert keys_of(RESTRICTED.with_all(["params", "metrics"]), "params") is None
