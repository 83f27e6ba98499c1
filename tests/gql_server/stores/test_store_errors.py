"""Errors of libraries, and what they came of."""

from itertools import islice

from gql_server.stores.errors import causes


def test_causes_that_go_in_a_circle() -> None:
    """Each error of a chain comes once, also where it says of itself that it came of itself."""
    first, second = OSError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    assert list(islice(causes(first), 5)) == [first, second]
    alone = OSError("alone")
    alone.__cause__ = alone
    assert list(islice(causes(alone), 5)) == [alone]
