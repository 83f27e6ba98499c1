"""Cache keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.cache.cache_key import CacheKey

texts = st.text(max_size=5)
parts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
)


def _same(one: object, other: object) -> bool:
    # 1, 1.0 and True are equal in Python but different in a key, as are 0.0 and -0.0.
    return repr(one) == repr(other)


@given(parts, parts)
def test_keys_are_equal_only_for_equal_parts(one: list[object], other: list[object]) -> None:
    """Two keys are equal exactly if their parts have the same values and types."""
    assert (CacheKey("k", None, one).text == CacheKey("k", None, other).text) == _same(one, other)  # type: ignore[arg-type]


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_record_keys_do_not_concatenate_parts(one: list[str], other: list[str]) -> None:
    """The keys of ("a", "bc") and of ("ab", "c") differ, lone surrogates and zeros included."""
    key = CacheKey("k", None)
    assert (key.for_record(*one) == key.for_record(*other)) == (one == other)


def test_key_depends_on_kind_and_caller() -> None:
    """Keys differ by kind and caller; no caller is a caller too."""
    keys = [
        CacheKey("a", None),
        CacheKey("a", ""),
        CacheKey("a", "x"),
        CacheKey("a", "y"),
        CacheKey("b", None),
    ]
    assert len({key.text for key in keys}) == len({key.for_record("1") for key in keys}) == len(keys)


def test_object_is_rejected_as_part() -> None:
    """An object raises TypeError: its repr may be equal for different objects, or never be equal again."""
    with pytest.raises(TypeError):
        CacheKey("k", None, object())  # type: ignore[arg-type]


def test_key_length_is_independent_of_parts() -> None:
    """A key does not grow with its parts."""
    assert len(CacheKey("response", None, "x" * 100_000).text) < 50
