"""The filters of experiments."""

from typing import Final

from gql_server.stores.filters.rules import FilterRules

EXPERIMENT_FILTERS: Final = FilterRules(
    prefixes={"attribute": "attribute", "attributes": "attribute", "tag": "tag", "tags": "tag"},
    unknown_prefix="Valid entity types are ('attribute', 'attributes', 'tag', 'tags')",
    attributes={"name", "experiment_id", "creation_time", "last_update_time"},
    numeric_attributes={"creation_time", "last_update_time"},
    ids={"experiment_id"},
    listed={"attribute": {"experiment_id"}},
    null_tested={"tag"},
    no_null_test="IS NULL / IS NOT NULL is only supported for tags, not for attribute '{key}'",
)
"""The rules of MLflow's `SearchExperimentsUtils`."""
