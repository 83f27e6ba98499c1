"""Names and numbers of MLflow's that this server uses without importing MLflow, which takes seconds.

A test compares them with the installed MLflow.
"""

from typing import Final

RUN_NAME_TAG: Final = "mlflow.runName"
DATASET_CONTEXT_TAG: Final = "mlflow.data.context"
PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
"""The tag of a registered model that is a prompt; its value is then "true"."""
NEW_RUN_STATUS: Final = "SCHEDULED"
"""The status of a run without one, which is MLflow's default for the column."""
NO_STAGE: Final = "None"
DELETED_STAGE: Final = "Deleted_Internal"
"""The stage of a deleted model version whose row is kept."""
DEFAULT_WORKSPACE: Final = "default"
LOGGED_MODEL_STATUSES: Final = {
    0: "UNSPECIFIED",
    1: "PENDING",
    2: "READY",
    3: "FAILED",
}
"""The statuses of logged models by the number that a database has."""
WORKSPACES_VARIABLE: Final = "MLFLOW_ENABLE_WORKSPACES"
