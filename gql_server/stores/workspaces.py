"""The workspace of a request, in a store with workspaces."""

from collections.abc import Callable

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.utils.workspace_context import get_request_workspace
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME


def workspaces_enabled() -> bool:
    """Return whether MLflow's variable enables workspaces in this process."""
    return bool(MLFLOW_ENABLE_WORKSPACES.get())


def request_workspace() -> Callable[[], str | None]:
    """Return the function that returns the workspace of the current context; None without workspaces."""
    if not workspaces_enabled():
        return lambda: None
    return lambda: get_request_workspace() or DEFAULT_WORKSPACE_NAME
