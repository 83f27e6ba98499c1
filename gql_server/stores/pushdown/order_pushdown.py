"""Orders as MLflow's order_by strings, where the store then orders as this server does."""

from collections.abc import Iterator, Mapping, Sequence

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import OF_EXPERIMENTS, OF_RUNS
from schema.ports.tracking import Order


def run_order(order: Sequence[Order], store: Capabilities) -> Sequence[str] | None:
    """Return MLflow's order_by for runs; None where the order has to be made here."""
    keys = list(_decisive(order, "run_id"))
    # A run that began nobody knows when began at 0 for a store. `Finishing` sees it on the first page alone.
    if any((entry.key, entry.descending) == ("started_at", False) for entry in keys[1:]):
        return None
    written = [_key(entry, OF_RUNS.attributes, store, "attributes.") for entry in keys]
    # MLflow decides between what is level by start time, before the id.
    tie = [] if not keys or _is_id(keys[-1], "run_id") else ["attributes.run_id ASC"]
    return _all_of(written, tie)


def experiment_order(order: Sequence[Order], store: Capabilities) -> Sequence[str] | None:
    """Return MLflow's order_by for experiments; None where the order has to be made here."""
    keys = list(_decisive(order, "experiment_id"))
    written = [_key(entry, OF_EXPERIMENTS.attributes, store, "") for entry in keys]
    return _all_of(written, ["experiment_id ASC"] if keys else [])


def _all_of(written: Sequence[str | None], tie: Sequence[str]) -> Sequence[str] | None:
    known = [text for text in written if text is not None]
    return [*known, *tie] if len(known) == len(written) else None


def _decisive(order: Sequence[Order], id_: str) -> Iterator[Order]:
    """Give the keys that decide something: each once, as MLflow wants it, and none after the id."""
    seen: set[tuple[str, str]] = set()
    for entry in order:
        if (entry.by, entry.key) not in seen:
            seen.add((entry.by, entry.key))
            yield entry
        if _is_id(entry, id_):
            return


def _is_id(entry: Order, id_: str) -> bool:
    return (entry.by, entry.key) == ("attribute", id_)


def _key(entry: Order, names: Mapping[str, str], store: Capabilities, prefix: str) -> str | None:
    direction = "DESC" if entry.descending else "ASC"
    if entry.by == "attribute":
        name = names.get(entry.key) if entry.key in store.orders else None
        return None if name is None else f"{prefix}{name} {direction}"
    if entry.by != "metric" or not store.orders_metrics:
        return None
    text = f"metrics.`{entry.key}` {direction}"
    return text if _understood(text, entry) else None


def _understood(text: str, entry: Order) -> bool:
    """Say whether MLflow reads an entry as it is meant.

    Its parser has no way to write a key with a quote, a backtick or a space at its end, and it takes a
    metric named "created" for the run's start time.
    """
    try:
        parsed = SearchUtils.parse_order_by_for_search_runs(text)
    # Not only MLflow's own: shlex, inside, raises ValueError for an open quote.
    except (MlflowException, ValueError):
        return False
    alias: str = SearchUtils.translate_key_alias(entry.key)
    return bool(parsed == ("metric", entry.key, not entry.descending) and alias == entry.key)
