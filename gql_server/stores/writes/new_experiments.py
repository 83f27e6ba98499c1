"""Experiments to be made: what MLflow, or its server, would not take is refused before a store is asked."""

from collections.abc import Sequence
from urllib.parse import urlparse

from mlflow.entities import ExperimentTag
from mlflow.exceptions import MlflowException
from mlflow.utils import validation
from mlflow.utils.uri import validate_query_string

from gql_server.stores.text_validation import check_key, check_text
from schema.ports.tracking_writes import KeyValue


def new_experiment(name: str, location: str | None, tags: Sequence[KeyValue]) -> list[ExperimentTag]:
    """Check what an experiment is to be made of, and return its tags."""
    check_name(name)
    if location:
        check_text("artifactLocation", location)
        _check_location(location)
    return experiment_tags(tags)


def check_name(name: str) -> None:
    """Raise `BadUserInput`, or MLflow's exception, for a name that no experiment can have."""
    validation._validate_experiment_name(name)  # noqa: SLF001
    check_text("name", name)


def experiment_tags(tags: Sequence[KeyValue]) -> list[ExperimentTag]:
    """Return tags as MLflow's entities; raises as `check_name` does."""
    for place, tag in enumerate(tags):
        check_key(tag.key, f"tags[{place}].key")
        check_text(f"tags[{place}].value", tag.value)
        validation._validate_experiment_tag(tag.key, tag.value)  # noqa: SLF001
    return [ExperimentTag(tag.key, tag.value) for tag in tags]


def _check_location(location: str) -> None:
    """Raise MLflow's exception for a location that an MLflow server would refuse.

    MLflow makes a run's folder by appending the run's id, which must not end up behind a `#` or `?`: the
    folder would then be one that is there already, of any content.
    """
    parsed = urlparse(location)
    if parsed.fragment or parsed.params:
        message = "'artifact_location' URL can't include fragments or params."
        raise MlflowException.invalid_parameter_value(message)
    validate_query_string(parsed.query)
    validation._validate_experiment_artifact_location(location)  # noqa: SLF001
    validation._validate_experiment_artifact_location_length(location)  # noqa: SLF001
