"""Orders as MLflow's `order_by` strings, where the store's order equals this server's."""

from collections.abc import Iterator, Mapping, Sequence

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import EXPERIMENT_SYNTAX, RUN_SYNTAX
from schema.ports.tracking import Order


def run_order_by(order: Sequence[Order], capabilities: Capabilities) -> Sequence[str] | None:
    """Return MLflow's `order_by` for runs; None if this server must sort them."""
    keys = list(_effective_keys(order, "run_id"))
    # Stores use 0 for an unknown start time; `SearchExecutor` corrects that only for the first key.
    if any((entry.key, entry.descending) == ("started_at", False) for entry in keys[1:]):
        return None
    entries = [_order_by_entry(entry, RUN_SYNTAX.attributes, capabilities, "attributes.") for entry in keys]
    # MLflow orders equal runs by start time, before the id.
    tie_breaker = [] if not keys or _is_id(keys[-1], "run_id") else ["attributes.run_id ASC"]
    return _complete(entries, tie_breaker)


def experiment_order_by(order: Sequence[Order], capabilities: Capabilities) -> Sequence[str] | None:
    """Return MLflow's `order_by` for experiments; None if this server must sort them."""
    keys = list(_effective_keys(order, "experiment_id"))
    # Databases disagree on where they sort a missing time; `SearchExecutor` corrects that for the first key.
    if len(keys) > 1 and not _is_id(keys[1], "experiment_id"):
        return None
    entries = [_order_by_entry(entry, EXPERIMENT_SYNTAX.attributes, capabilities, "") for entry in keys]
    return _complete(entries, ["experiment_id ASC"] if keys else [])


def _complete(entries: Sequence[str | None], tie_breaker: Sequence[str]) -> Sequence[str] | None:
    supported = [entry for entry in entries if entry is not None]
    return [*supported, *tie_breaker] if len(supported) == len(entries) else None


def _effective_keys(order: Sequence[Order], id_column: str) -> Iterator[Order]:
    """Yield the keys that affect the order: each once, as MLflow requires, and none after the id."""
    seen: set[tuple[str, str]] = set()
    for entry in order:
        if (entry.by, entry.key) not in seen:
            seen.add((entry.by, entry.key))
            yield entry
        if _is_id(entry, id_column):
            return


def _is_id(entry: Order, id_column: str) -> bool:
    return (entry.by, entry.key) == ("attribute", id_column)


def _order_by_entry(
    entry: Order, names: Mapping[str, str], capabilities: Capabilities, prefix: str
) -> str | None:
    direction = "DESC" if entry.descending else "ASC"
    if entry.by == "attribute":
        name = names.get(entry.key) if entry.key in capabilities.orders else None
        return None if name is None else f"{prefix}{name} {direction}"
    if entry.by != "metric" or not capabilities.orders_metrics:
        return None
    text = f"metrics.`{entry.key}` {direction}"
    return text if _parses_as_intended(text, entry) else None


def _parses_as_intended(text: str, entry: Order) -> bool:
    """Return whether MLflow reads an entry as intended.

    Its syntax cannot express a key with a quote, a backtick or a trailing space, and it reads a metric named
    "created" as the run's start time.
    """
    try:
        parsed = SearchUtils.parse_order_by_for_search_runs(text)
    # MLflow's parser uses shlex, which raises ValueError for an open quote.
    except (MlflowException, ValueError):
        return False
    alias: str = SearchUtils.translate_key_alias(entry.key)
    return bool(parsed == ("metric", entry.key, not entry.descending) and alias == entry.key)
