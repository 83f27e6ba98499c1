"""Chains of errors."""

from itertools import islice

from gql_server.stores.error_chain import error_chain


def test_circular_error_chain_ends() -> None:
    """Each error of a chain is returned once, also in a circular chain."""
    first, second = OSError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    assert list(islice(error_chain(first), 5)) == [first, second]
    alone = OSError("alone")
    alone.__cause__ = alone
    assert list(islice(error_chain(alone), 5)) == [alone]
