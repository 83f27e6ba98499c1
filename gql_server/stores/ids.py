"""The forms of ids. An id that nothing can have is refused before a store is called."""

import re
from collections.abc import Iterable

from schema.ports.errors import BadUserInput
from schema.ports.run_id import is_run_id
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Children, Scope

# The form in mlflow.utils.validation, where `$` also matches before a newline at the end.
_EXPERIMENT = re.compile(r"[a-zA-Z0-9][\w\-]{0,63}")
# As SQL prints a number: MLflow would take 007 for 7, and return another id than the requested one.
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_VERSION = re.compile(r"0|[1-9][0-9]{0,18}")
# A models: URI, or a path in the folder in which MLflow stores the files of logged models.
_MODEL_SOURCE = re.compile(r"(?:models:/|.*/models/)(m-[\w\-]+)(?:/artifacts)?/?", re.ASCII | re.DOTALL)
_INT64 = 2**63


def model_id_from_source(source: str | None) -> str | None:
    """Return the id of the logged model in a version's source; None if the source is something else."""
    match = _MODEL_SOURCE.fullmatch(source or "")
    return match[1] if match else None


def check_model_ids(ids: Iterable[str]) -> None:
    """Raise `BadUserInput` for an id that no logged model can have: they have the form of run ids.

    The id becomes a part of a URL.
    """
    for model_id in ids:
        if not is_run_id(model_id):
            message = f"{model_id[:300]!r} is not the id of a logged model."
            raise BadUserInput(message)


def check_versions(versions: Iterable[str]) -> None:
    """Raise `BadUserInput` for text that is not the number of a version."""
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
    """Raise `BadUserInput` for a scope with an id that cannot exist in this kind of store."""
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
