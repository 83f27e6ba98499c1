"""Ids as stores have them: what cannot be one is refused before a store is asked."""

import re
from collections.abc import Iterable

from schema.errors import BadUserInput
from schema.store_kind import StoreKind

# MLflow's own forms, mlflow.utils.validation; there `$` also lets a newline at the end pass.
_RUN = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_EXPERIMENT = re.compile(r"[a-zA-Z0-9][\w\-]{0,63}")
# As SQL prints one: MLflow would read 007 as 7, and answer under another id than the one asked for.
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_INT64 = 2**63


def check_run_ids(ids: Iterable[str]) -> None:
    """Raise `BadUserInput` for an id that no run can have."""
    for run_id in ids:
        if not _RUN.fullmatch(run_id):
            message = f"{run_id[:300]!r} is not a run id."
            raise BadUserInput(message)


def check_experiment_ids(ids: Iterable[str], kind: StoreKind) -> None:
    """Raise `BadUserInput` for an id that no experiment can have in this kind of store."""
    for experiment_id in ids:
        if not _is_experiment_id(experiment_id, kind):
            message = f"{experiment_id[:300]!r} is not an experiment id."
            raise BadUserInput(message)


def _is_experiment_id(text: str, kind: StoreKind) -> bool:
    if kind is not StoreKind.SQL:
        return _EXPERIMENT.fullmatch(text) is not None
    return _NUMBER.fullmatch(text) is not None and -_INT64 <= int(text) < _INT64
