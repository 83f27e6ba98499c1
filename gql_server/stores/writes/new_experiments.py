"""Validation of new experiments, before a store is called."""

from collections.abc import Sequence
from urllib.parse import urlparse

from mlflow.entities import ExperimentTag
from mlflow.exceptions import MlflowException
from mlflow.utils import validation
from mlflow.utils.uri import validate_query_string

from gql_server.stores.text_validation import check_text
from gql_server.stores.writes.keys import check_key
from schema.ports.tracking_writes import KeyValue


def new_experiment_tags(name: str, location: str | None, tags: Sequence[KeyValue]) -> list[ExperimentTag]:
    """Validate a new experiment, and return its tags as MLflow's entities.

    Raises `BadUserInput` or MLflow's exception for what MLflow or its server refuses.
    """
    check_experiment_name(name)
    if location:
        check_text("artifactLocation", location)
        _check_location(location)
    return experiment_tag_entities(tags)


def check_experiment_name(name: str) -> None:
    """Raise `BadUserInput` or MLflow's exception for a name that no experiment can have."""
    validation._validate_experiment_name(name)  # noqa: SLF001
    check_text("name", name)


def experiment_tag_entities(tags: Sequence[KeyValue]) -> list[ExperimentTag]:
    """Return validated tags as MLflow's entities; raises as `check_experiment_name` does."""
    for index, tag in enumerate(tags):
        check_key(tag.key, f"tags[{index}].key")
        check_text(f"tags[{index}].value", tag.value)
        validation._validate_experiment_tag(tag.key, tag.value)  # noqa: SLF001
    return [ExperimentTag(tag.key, tag.value) for tag in tags]


def _check_location(location: str) -> None:
    """Raise MLflow's exception for a location that an MLflow server would refuse.

    MLflow appends the run's id to the location to name the run's folder. After a `#` or `?` the id would
    not be part of the path, so that the folder could be an existing one with any content.
    """
    parsed = urlparse(location)
    if parsed.fragment or parsed.params:
        message = "'artifact_location' URL can't include fragments or params."
        raise MlflowException.invalid_parameter_value(message)
    validate_query_string(parsed.query)
    validation._validate_experiment_artifact_location(location)  # noqa: SLF001
    validation._validate_experiment_artifact_location_length(location)  # noqa: SLF001
