"""Ids as stores have them: what cannot be one is refused before a store is asked."""

import re
from collections.abc import Iterable

from schema.ports.errors import BadUserInput
from schema.ports.run_id import is_run_id
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Children, Scope

# MLflow's own form, mlflow.utils.validation; there `$` also lets a newline at the end pass.
_EXPERIMENT = re.compile(r"[a-zA-Z0-9][\w\-]{0,63}")
# As SQL prints one: MLflow would read 007 as 7, and answer under another id than the one asked for.
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_VERSION = re.compile(r"0|[1-9][0-9]{0,18}")
# As a URI of its own, or by the place where MLflow keeps the files of logged models.
_MODEL_SOURCE = re.compile(r"(?:models:/|.*/models/)(m-[\w\-]+)(?:/artifacts)?/?", re.ASCII)
_INT64 = 2**63


def model_id_of(source: str | None) -> str | None:
    """Return the id of the logged model that a version's source names; None where it names another thing."""
    found = _MODEL_SOURCE.fullmatch(source or "")
    return found[1] if found else None


def check_model_ids(ids: Iterable[str]) -> None:
    """Raise `BadUserInput` for an id that no logged model can have: their form is that of runs' ids.

    It becomes part of an address.
    """
    for model_id in ids:
        if not is_run_id(model_id):
            message = f"{model_id[:300]!r} is not the id of a logged model."
            raise BadUserInput(message)


def check_versions(versions: Iterable[str]) -> None:
    """Raise `BadUserInput` for what is no number of a model's version."""
    for version in versions:
        if not _VERSION.fullmatch(version):
            message = f"{version[:300]!r} is not a version of a registered model."
            raise BadUserInput(message)


def check_run_ids(ids: Iterable[str]) -> None:
    """Raise `BadUserInput` for an id that no run can have."""
    for run_id in ids:
        if not is_run_id(run_id):
            message = f"{run_id[:300]!r} is not a run id."
            raise BadUserInput(message)


def check_experiment_ids(ids: Iterable[str], kind: StoreKind) -> None:
    """Raise `BadUserInput` for an id that no experiment can have in this kind of store."""
    for experiment_id in ids:
        if not _is_experiment_id(experiment_id, kind):
            message = f"{experiment_id[:300]!r} is not an experiment id."
            raise BadUserInput(message)


def check_scopes(scopes: Iterable[Scope], kind: StoreKind) -> None:
    """Raise `BadUserInput` for a scope of a run or an experiment that cannot be in this kind of store."""
    for scope in scopes:
        if isinstance(scope, Children):
            check_run_ids([scope.run_id])
            check_experiment_ids([scope.experiment_id], kind)
        else:
            check_experiment_ids(scope or (), kind)


def _is_experiment_id(text: str, kind: StoreKind) -> bool:
    if kind is not StoreKind.SQL:
        return _EXPERIMENT.fullmatch(text) is not None
    return _NUMBER.fullmatch(text) is not None and -_INT64 <= int(text) < _INT64
