"""Variables are coerced as graphql-core coerces them."""

from typing import Any

from graphql import OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from schema.engine.variables import OperationVariables
from tests.support.schema.document_strategies import SCHEMA

TYPES = (
    *("ID!", "ID", "String", 'String! = "a"', "Int", "Int! = 2", "Boolean! = true", "Float", "BigInt"),
    *("DateTime", "LifecycleView! = ALL", "[String!]", "[String]!", '[ID!] = ["x"]', "[[Int]]"),
    *("RunFilter", "[RunOrder!]"),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from(["", "a", "ALL", "2026-11-23T05:15:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "eq", "attribute"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    st.lists(st.sampled_from(TYPES), max_size=3), st.lists(VALUES, min_size=3, max_size=3), st.integers(0, 7)
)
def test_coerced_values(types: list[str], values: list[Any], given_values: int) -> None:
    """Valid values are those of graphql-core, and invalid ones give None."""
    declared = ", ".join(f"$v{number}: {type_}" for number, type_ in enumerate(types))
    document = parse(f"query ({declared}) {{ __typename }}" if declared else "{ __typename }")
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    definitions = operation.variable_definitions
    raw = {f"v{number}": value for number, value in enumerate(values) if given_values >> number & 1}
    expected = get_variable_values(SCHEMA, definitions, raw)
    coerced = OperationVariables(SCHEMA, definitions).coerce(raw)
    assert repr(coerced) == repr(None if isinstance(expected, list) else expected)
