"""The tags of new and renamed runs, in which MLflow stores their names, parents and users."""

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_USER

from schema.ports.errors import BadUserInput
from schema.ports.tracking_writes import KeyValue, NewRun


def run_name_tag(name: str) -> KeyValue:
    """Return the tag of a run's name; raise `BadUserInput` for an empty name, which MLflow would ignore."""
    if not name.strip():
        message = "name must not be empty."
        raise BadUserInput(message)
    return KeyValue(MLFLOW_RUN_NAME, name)


def new_run_tags(new: NewRun) -> list[KeyValue]:
    """Return the tags of a new run, including those for its name, parent and user.

    An empty name is none, as for MLflow, which then generates a name.
    """
    tags = {tag.key: tag.value for tag in new.tags if tag.value or tag.key != MLFLOW_RUN_NAME}
    for key, value, argument in (
        (MLFLOW_RUN_NAME, new.name or None, "name"),
        (MLFLOW_PARENT_RUN_ID, new.parent_run_id, "parentRunId"),
        (MLFLOW_USER, new.user_id, "userId"),
    ):
        if value is None:
            continue
        if tags.setdefault(key, value) != value:
            message = f"{argument} is {value!r}, and the tag {key} is {tags[key]!r}."
            raise BadUserInput(message)
    if MLFLOW_RUN_NAME in tags:
        run_name_tag(tags[MLFLOW_RUN_NAME])
    return [KeyValue(key, value) for key, value in tags.items()]
