"""The workspace of a request, in a store with workspaces."""

import os
from collections.abc import Callable

from gql_server.stores.mlflow_names import DEFAULT_WORKSPACE, WORKSPACES_VARIABLE


def workspaces_enabled() -> bool:
    """Return whether MLflow's variable enables workspaces in this process."""
    if not os.environ.get(WORKSPACES_VARIABLE):
        return False
    from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES  # noqa: PLC0415 - takes seconds

    return bool(MLFLOW_ENABLE_WORKSPACES.get())


def request_workspace() -> Callable[[], str | None]:
    """Return the function that returns the workspace of the current context; None without workspaces."""
    if not workspaces_enabled():
        return lambda: None
    from mlflow.utils.workspace_context import get_request_workspace  # noqa: PLC0415 - takes seconds

    return lambda: get_request_workspace() or DEFAULT_WORKSPACE
