"""An order of the port as MLflow's order_by strings."""

from collections.abc import Iterable, Mapping, Sequence

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from schema.errors import UnsupportedByStore
from schema.tracking import Order

_RUNS = {
    "run_id": "run_id",
    "name": "run_name",
    "status": "status",
    "user_id": "user_id",
    "artifact_uri": "artifact_uri",
    "started_at": "start_time",
    "ended_at": "end_time",
}
_EXPERIMENTS = {
    "experiment_id": "experiment_id",
    "name": "name",
    "created_at": "creation_time",
    "updated_at": "last_update_time",
}
_LOGGED = {"metric": "metric", "param": "parameter", "tag": "tag"}
"""What MLflow's parser calls what is logged."""


def order_of_runs(order: Sequence[Order]) -> list[str]:
    """Return MLflow's order_by; raise `UnsupportedByStore` naming what MLflow cannot order runs by."""
    return [
        _attribute(key, _RUNS, "runs") if key.by == "attribute" else _logged(key) for key in _distinct(order)
    ]


def order_of_experiments(order: Sequence[Order]) -> list[str]:
    """Return MLflow's order_by; raise `UnsupportedByStore` naming what MLflow cannot order experiments by."""
    return [_attribute(key, _EXPERIMENTS, "experiments") for key in _distinct(order)]


def _distinct(order: Sequence[Order]) -> Iterable[Order]:
    # A key that comes twice orders nothing the second time, and MLflow refuses it.
    first: dict[tuple[str, str], Order] = {}
    for key in order:
        first.setdefault((key.by, key.key), key)
    return first.values()


def _attribute(key: Order, names: Mapping[str, str], what: str) -> str:
    name = names.get(key.key) if key.by == "attribute" else None
    if name is None:
        message = f"This store cannot order {what} by {_said(key)}."
        raise UnsupportedByStore(message)
    return f"attribute.{name} {_direction(key)}"


def _logged(key: Order) -> str:
    clause = f"{key.by}.`{key.key}` {_direction(key)}"
    if not _understood(clause, key):
        message = f"This store cannot order runs by {_said(key)}."
        raise UnsupportedByStore(message)
    return clause


def _understood(clause: str, key: Order) -> bool:
    """Say whether MLflow reads the clause as it is meant.

    Its parser has no way to write a key with a quote, a backtick or a space at its end, and it takes a
    metric named "created" for the run's start time.
    """
    try:
        parsed = SearchUtils.parse_order_by_for_search_runs(clause)
    # Not only MLflow's own: shlex, inside, raises ValueError for an open quote.
    except (MlflowException, ValueError):
        return False
    meant = (_LOGGED[key.by], key.key, not key.descending)
    alias: str = SearchUtils.translate_key_alias(key.key)
    return bool(parsed == meant and alias == key.key)


def _said(key: Order) -> str:
    return key.key if key.by == "attribute" else f"the {key.by} {key.key!r}"


def _direction(key: Order) -> str:
    return "DESC" if key.descending else "ASC"
