"""Tests of the keys."""

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
    # 1, 1.0 and True are equal to Python, and three questions here; so are 0.0 and -0.0.
    return repr(one) == repr(other)


@given(parts, parts)
def test_keys_are_equal_for_equal_questions_alone(one: list[object], other: list[object]) -> None:
    """Two questions have one key exactly if they are the same values of the same types."""
    assert (CacheKey("k", None, one).text == CacheKey("k", None, other).text) == _same(one, other)  # type: ignore[arg-type]


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_things_do_not_run_together(one: list[str], other: list[str]) -> None:
    """The keys of ("a", "bc") and of ("ab", "c") differ, lone surrogates and zeros included."""
    key = CacheKey("k", None)
    assert (key.of(*one) == key.of(*other)) == (one == other)


def test_a_key_depends_on_kind_and_caller() -> None:
    """The same question has another key for each kind and each caller, and for nobody in particular."""
    keys = [
        CacheKey("a", None),
        CacheKey("a", ""),
        CacheKey("a", "x"),
        CacheKey("a", "y"),
        CacheKey("b", None),
    ]
    assert len({key.text for key in keys}) == len({key.of("own") for key in keys}) == len(keys)


def test_an_object_is_no_part_of_a_key() -> None:
    """What has only a repr is refused: it may be the same for different things, or never the same again."""
    with pytest.raises(TypeError):
        CacheKey("k", None, object())  # type: ignore[arg-type]


def test_a_key_is_short() -> None:
    """A key's size does not grow with the question."""
    assert len(CacheKey("answer", None, "x" * 100_000).text) < 50
