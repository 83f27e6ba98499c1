"""BigInt and DateTime accept every 64-bit number and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest
from graphql import GraphQLError, GraphQLScalarType, parse_value
from hypothesis import example, given
from hypothesis import strategies as st

from schema.engine import times
from tests.support.schema.document_strategies import SCHEMA
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiments

LEAST, MOST = -(2**63), 2**63 - 1
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BIG_INT = cast("GraphQLScalarType", SCHEMA.type_map["BigInt"])
DATE_TIME = cast("GraphQLScalarType", SCHEMA.type_map["DateTime"])

of_64_bits = st.integers(LEAST, MOST)
of_four_digits = st.integers(FIRST, LAST)


@given(of_64_bits)
@example(LEAST)
@example(MOST)
@example(FIRST - 1)
@example(FIRST)
@example(LAST)
@example(LAST + 1)
@example(-1)
def test_formatted_time_can_be_parsed(milliseconds: int) -> None:
    """Any 64-bit number of milliseconds can be formatted and parsed again."""
    assert times.parse_time(times.format_time(milliseconds)) == milliseconds


@given(of_four_digits)
@example(FIRST)
@example(LAST)
def test_time_equals_datetime(milliseconds: int) -> None:
    """For years of four digits, a time equals the format of Python's datetime."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    written = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert times.format_time(milliseconds) == written
    assert times.parse_time(written) == milliseconds


@given(of_64_bits.filter(lambda milliseconds: milliseconds != LEAST))
@example(MOST)
@example(LEAST + 1)
@example(-62_167_219_200_000)  # the year 0
def test_time_equals_numpy(milliseconds: int) -> None:
    """For all years, a time equals numpy's format, except the sign and width of the year."""
    text = str(np.datetime_as_string(np.datetime64(milliseconds, "ms"), unit="ms"))
    year, rest = text[:-19], text[-19:]
    within = 1 <= int(year) <= 9999
    assert times.format_time(milliseconds) == f"{int(year):{'04d' if within else '+07d'}}{rest}Z"


@given(st.lists(st.none() | of_four_digits | of_64_bits, max_size=80))
def test_column_of_times_is_formatted_as_each_time(column: list[int | None]) -> None:
    """A column of times is formatted like each of its times."""
    assert times.format_times(column) == [None if one is None else times.format_time(one) for one in column]


@given(st.lists(of_four_digits, min_size=33, max_size=80), st.booleans())
def test_long_column_of_times_is_formatted_as_each_time(column: list[int], has_null: bool) -> None:  # noqa: FBT001 - drawn
    """A long column, with and without nulls, is formatted like each of its times."""
    inner_test = test_column_of_times_is_formatted_as_each_time.hypothesis.inner_test  # type: ignore[attr-defined]
    inner_test([*column, None] if has_null else column)


@given(
    of_four_digits,
    st.integers(-(24 * 60 - 1), 24 * 60 - 1),
    st.sampled_from("Tt "),
)
def test_time_with_any_offset(milliseconds: int, minutes: int, separator: str) -> None:
    """Inputs with different offsets are the same time."""
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
    local = times.format_time(milliseconds)[:-1].replace("T", separator)
    assert times.parse_time(local + offset) == milliseconds - minutes * 60_000


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00-00:00", 0),
        ("1970-01-01T00:00:00.1Z", 100),
        ("1970-01-01T00:00:00.12Z", 120),
        ("1970-01-01T00:00:00.123999999Z", 123),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2024-02-29T00:00:00+05:30", 1_709_145_000_000),
        ("+010000-01-01T00:00:00.000Z", LAST + 1),
        ("+000000-12-31T23:59:59.999Z", FIRST - 1),
        ("-000001-01-01T00:00:00.000Z", -62_198_755_200_000),
    ],
)
def test_accepted_formats_of_time(text: str, milliseconds: int) -> None:
    """RFC 3339 and the years of ECMAScript are accepted; digits below a millisecond are dropped."""
    assert DATE_TIME.parse_value(text) == milliseconds
    assert DATE_TIME.parse_literal(parse_value(f'"{text}"')) == milliseconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T05:15:00",
        "2026-11-23T05:15Z",
        "20261123T051500Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T05:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-11-23T05:15:00.Z",
        "2026-11-23T05:15:00,123Z",
        "2026-11-23T05:15:00.1234567890Z",
        "2026-11-23T05:15:00+24:00",
        "2026-11-23T05:15:00+05:60",
        "2026-11-23T05:15:00+0530",
        " 2026-11-23T05:15:00Z",
        "2026-11-23T05:15:00Z\n",
        "\N{FULLWIDTH DIGIT TWO}026-11-23T05:15:00Z",
        "2026-11-23T05:15:0\N{ARABIC-INDIC DIGIT ZERO}Z",
        "10000-01-01T00:00:00.000Z",
        "+010000-01-01T00:00:00Z",
        "+999999999-01-01T00:00:00.000Z",
        "-999999999-01-01T00:00:00.000Z",
        "+292278994-08-17T07:12:55.808Z",
        0,
        1.5,
        True,
        None,
        [],
        {},
    ],
)
def test_other_values_are_not_times(value: Any) -> None:
    """Any other value is refused with a message that shows the format."""
    with pytest.raises(GraphQLError, match=r"DateTime must be .* such as 2026-11-23T05:15:00\.123Z"):
        DATE_TIME.parse_value(value)


@pytest.mark.parametrize("literal", ["0", "1.5", "true", "null", "NOW", "[]", "{}"])
def test_other_literals_are_not_times(literal: str) -> None:
    """A literal of another kind is not a time."""
    with pytest.raises(GraphQLError, match="DateTime must be"):
        DATE_TIME.parse_literal(parse_value(literal))


@pytest.mark.parametrize("value", [1.0, "1970-01-01T00:00:00Z", True, None])
def test_time_of_a_store_must_be_an_integer(value: Any) -> None:
    """A time of a store that is not an integer is an error."""
    with pytest.raises(GraphQLError, match="DateTime cannot represent"):
        DATE_TIME.serialize(value)


@given(of_64_bits)
@example(LEAST)
@example(MOST)
def test_big_int_accepts_every_64_bit_integer(number: int) -> None:
    """Every 64-bit integer is accepted as a variable and as a literal, and serialized unchanged."""
    assert BIG_INT.parse_value(number) == number
    assert BIG_INT.parse_literal(parse_value(str(number))) == number
    assert BIG_INT.serialize(number) == number


@pytest.mark.parametrize("value", [MOST + 1, LEAST - 1, 1.0, 1e3, float("nan"), "1", True, False, None, [1]])
def test_other_values_are_not_big_ints(value: Any) -> None:
    """No float, text, boolean or larger integer is accepted as a variable or serialized."""
    with pytest.raises(GraphQLError, match="BigInt must be a 64-bit integer"):
        BIG_INT.parse_value(value)
    with pytest.raises(GraphQLError, match="BigInt must be a 64-bit integer"):
        BIG_INT.serialize(value)


@pytest.mark.parametrize(
    "literal", [str(MOST + 1), str(LEAST - 1), "1.0", "1e3", '"1"', "true", "ONE", "[1]"]
)
def test_other_literals_are_not_big_ints(literal: str) -> None:
    """No other literal is accepted."""
    with pytest.raises(GraphQLError, match="BigInt must be a 64-bit integer"):
        BIG_INT.parse_literal(parse_value(literal))


@pytest.mark.parametrize("given_as", ["literal", "variable"])
@pytest.mark.parametrize("step", [LEAST, -1, 0, MOST])
async def test_big_int_reaches_the_store_unchanged(step: int, given_as: str) -> None:
    """A 64-bit step is passed to the store unchanged, as a literal and as a variable."""
    store = MemoryTracking(experiments(1, 1))
    written = str(step) if given_as == "literal" else "$step"
    head = "" if given_as == "literal" else "query ($step: BigInt) "
    query = f"{head}{{ runs {{ nodes {{ metrics {{ series(fromStep: {written}) {{ steps }} }} }} }} }}"
    assert (await execute_query(store, query, {"step": step})).errors == []
    assert store.requests[-1] == ("histories", [("0.0", "loss")], step, None, None)
