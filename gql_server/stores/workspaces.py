"""The workspace of a request, in a store with workspaces."""

from collections.abc import Callable

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.utils.workspace_context import get_request_workspace
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME


def request_workspace() -> Callable[[], str | None]:
    """Return the function that returns the workspace of the current context; None without workspaces."""
    if not MLFLOW_ENABLE_WORKSPACES.get():
        return lambda: None
    return lambda: get_request_workspace() or DEFAULT_WORKSPACE_NAME
