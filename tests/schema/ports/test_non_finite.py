"""Values of metrics that are not finite."""

import math

import pytest

from schema.ports.non_finite import FLOATS, LARGEST_FLOAT, clamped, joined, split_stored, split_value


@pytest.mark.parametrize(("name", "value"), FLOATS.items())
def test_value_and_name_are_converted_both_ways(name: str, value: float) -> None:
    """A value that is not finite is split into None and its name, and joined again."""
    assert split_value(value, largest_is_infinite=False) == (None, name)
    assert repr(joined(None, name)) == repr(value)


@pytest.mark.parametrize("sign", [1, -1])
def test_largest_float_is_infinite_in_databases_alone(sign: int) -> None:
    """The largest float is a number, and in a database the representation of an infinity."""
    largest = sign * LARGEST_FLOAT
    assert split_value(largest, largest_is_infinite=False) == (largest, None)
    assert joined(*split_value(largest, largest_is_infinite=True)) == sign * math.inf
    assert clamped(sign * math.inf) == largest


def test_stored_column_is_split() -> None:
    """A column without special values is returned unchanged; others are split row by row."""
    plain: list[float | None] = [1.0, -2.5]
    assert split_stored(plain) == (plain, [None, None])
    assert split_stored([]) == ([], [])
    assert split_stored([1.0, None, LARGEST_FLOAT, -LARGEST_FLOAT]) == (
        [1.0, None, None, None],
        [None, "NAN", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"],
    )
