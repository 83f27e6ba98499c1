"""The filters of registered models."""

from typing import Final

from gql_server.stores.filters.rules import FilterRules

MODEL_FILTERS: Final = FilterRules(
    prefixes={"attribute": "attribute", "tag": "tag", "tags": "tag"},
    unknown_prefix="Valid entity types are ('attribute', 'tag', 'tags')",
    attributes={"name"},
    quoted_attributes=False,
    numeric_attributes=(),
    listed={"attribute": {"name"}},
    null_tested=(),
    no_null_test="IS NULL / IS NOT NULL is not supported for registered model search.",
    no_text="Expected a quoted string value or a list of quoted string values for attributes. Got value {}",
)
"""The rules of MLflow's `SearchModelUtils`."""
