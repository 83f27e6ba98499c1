"""Which workspace a request is about, where a store has several."""

from collections.abc import Callable

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.utils.workspace_context import get_request_workspace
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME


def workspace_of_request() -> Callable[[], str | None]:
    """Return what names the workspace in the caller's context; None where there are no workspaces."""
    if not MLFLOW_ENABLE_WORKSPACES.get():
        return lambda: None
    return lambda: get_request_workspace() or DEFAULT_WORKSPACE_NAME
