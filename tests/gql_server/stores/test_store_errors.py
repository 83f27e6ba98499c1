"""Errors of libraries, and what they came of."""

from itertools import islice

from gql_server.stores.errors import error_chain


def test_causes_that_go_in_a_circle() -> None:
    """Each error of a chain comes once, also where it says of itself that it came of itself."""
    first, second = OSError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    assert list(islice(error_chain(first), 5)) == [first, second]
    alone = OSError("alone")
    alone.__cause__ = alone
    assert list(islice(error_chain(alone), 5)) == [alone]
