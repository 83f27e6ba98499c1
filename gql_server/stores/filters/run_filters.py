"""The filters of runs."""

from typing import Final

from gql_server.stores.filters.rules import FilterRules
from schema.ports.condition import PredicateKind

_PREFIXES: Final[dict[str, PredicateKind]] = {
    "metric": "metric", "metrics": "metric",
    "parameter": "param", "parameters": "param", "param": "param", "params": "param",
    "tag": "tag", "tags": "tag",
    "attribute": "attribute", "attributes": "attribute", "attr": "attribute", "run": "attribute",
    "dataset": "dataset", "datasets": "dataset",
}  # fmt: skip
# MLflow applies them to the keys of params, tags and metrics as well.
_ALIASES: Final = {
    "created": "start_time", "Created": "start_time",
    "run name": "run_name", "Run name": "run_name", "Run Name": "run_name",
}  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    {"run_id", "run_name", "user_id", "status", "start_time", "end_time", "artifact_uri"}
)
_DATASET_KEYS: Final = frozenset({"name", "digest", "context"})

RUN_FILTERS: Final = FilterRules(
    prefixes=_PREFIXES | {f"`{prefix}`": kind for prefix, kind in _PREFIXES.items()},
    unknown_prefix="Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    attributes=_ATTRIBUTES | _ALIASES.keys(),
    numeric_attributes={"start_time", "end_time", "created", "Created"},
    aliases=_ALIASES,
    listed={"attribute": {"run_id"}, "dataset": _DATASET_KEYS},
    dataset_keys=_DATASET_KEYS,
    null_tested={"param", "tag"},
    no_null_test="IS NULL / IS NOT NULL is only supported for tags and params, not for '{kind}' '{key}'",
)
"""The rules of MLflow's `SearchUtils`."""
