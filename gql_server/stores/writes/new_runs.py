"""Runs to be started or renamed: the tags that MLflow keeps of them."""

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_USER

from schema.ports.errors import BadUserInput
from schema.ports.tracking_writes import KeyValue, NewRun


def run_name(name: str) -> KeyValue:
    """Return the tag of a run's name, which must not be empty: MLflow would leave the name as it is."""
    if not name.strip():
        message = "name must not be empty."
        raise BadUserInput(message)
    return KeyValue(MLFLOW_RUN_NAME, name)


def tags_of(new: NewRun) -> list[KeyValue]:
    """Return the tags of a run to start, with those that other arguments stand for."""
    tags = {tag.key: tag.value for tag in new.tags}
    for key, value, argument in (
        (MLFLOW_RUN_NAME, new.name, "name"),
        (MLFLOW_PARENT_RUN_ID, new.parent_run_id, "parentRunId"),
        (MLFLOW_USER, new.user_id, "userId"),
    ):
        if value is None:
            continue
        if tags.setdefault(key, value) != value:
            message = f"{argument} is {value!r}, and the tag {key} is {tags[key]!r}."
            raise BadUserInput(message)
    if MLFLOW_RUN_NAME in tags:
        run_name(tags[MLFLOW_RUN_NAME])
    return [KeyValue(key, value) for key, value in tags.items()]
