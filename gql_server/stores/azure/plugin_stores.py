"""The stores of Azure's MLflow plugin, opened with a non-interactive credential."""

import logging
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from gql_server.stores.azure.workspace_uri import Workspace, parse_workspace
from gql_server.stores.store_config_error import StoreConfigError

if TYPE_CHECKING:
    from mlflow.store.model_registry.abstract_store import AbstractStore as AbstractRegistry
    from mlflow.store.tracking.abstract_store import AbstractStore

    from gql_server.stores.azure.workspace_artifacts import WorkspaceArtifacts

_MIN_PLUGIN_VERSION = Version("1.62.0.post6")
"""Installers fall back to 1.60.0, which accepts every MLflow version and cannot read artifacts."""
_LOG_LEVELS = {"azure": logging.WARNING, "azure.identity": logging.ERROR, "azureml": logging.WARNING}
"""Below these levels, requests are logged with headers, and a missing credential with a dozen lines."""

_contexts: dict[Workspace, Any] = {}
"""The plugin's contexts of the workspaces opened in this process; there are as many as the settings name."""


def open_workspace_store(uri: str, credential_timeout: float) -> "AbstractStore":
    """Open the tracking store of a workspace without a request to it.

    Raises `StoreConfigError` for an invalid URI, plugin version or environment variable.
    """
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.workspace_store import WorkspaceStore  # noqa: PLC0415 - needs the plugin

    return WorkspaceStore(_new_context(workspace, credential_timeout))


def open_workspace_registry(uri: str, credential_timeout: float) -> "AbstractRegistry":
    """Open the model registry of a workspace; raises as `open_workspace_store` does."""
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.workspace_store import WorkspaceRegistry  # noqa: PLC0415 - needs the plugin

    return WorkspaceRegistry(_shared_context(workspace, credential_timeout))


def open_workspace_artifacts(
    uri: str, artifact_uri: str, credential_timeout: float, *, timeout: float, max_artifacts: int
) -> "WorkspaceArtifacts":
    """Return the repository at an artifact URI of a run, in the workspace at a tracking URI.

    Raises as `open_workspace_store` does, and `BadUserInput` for an artifact URI that is not a run's.
    """
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.workspace_artifacts import WorkspaceArtifacts  # noqa: PLC0415 - needs the plugin

    context = _shared_context(workspace, credential_timeout)
    return WorkspaceArtifacts(context, artifact_uri, timeout=timeout, max_artifacts=max_artifacts)


def _shared_context(workspace: Workspace, credential_timeout: float) -> Any:
    """Return the context, with its token, of the store last opened in the workspace; otherwise a new one."""
    return _contexts.get(workspace) or _new_context(workspace, credential_timeout)


def _new_context(workspace: Workspace, credential_timeout: float) -> Any:
    """Pass this server's credential to the plugin, and return the plugin's context of the workspace."""
    from azureml.mlflow import get_mlflow_tracking_uri_v2  # noqa: PLC0415 - needs the plugin
    from azureml.mlflow._internal.service_context_loader import (  # noqa: PLC0415
        _AzureMLServiceContextLoader,
    )

    from gql_server.stores.azure.cloud import set_cloud  # noqa: PLC0415
    from gql_server.stores.azure.credential import (  # noqa: PLC0415
        CachedCredential,
        non_interactive_credential,
    )

    _reduce_logs()
    authority = set_cloud(workspace)
    plugin_uri = get_mlflow_tracking_uri_v2(
        SimpleNamespace(ml_flow_tracking_uri=workspace.uri),
        {
            "subscription_id": workspace.subscription,
            "resource_group_name": workspace.resource_group,
            "workspace_name": workspace.name,
            "auth": CachedCredential(lambda: non_interactive_credential(authority, credential_timeout)),
            "host_url": f"https://{workspace.host}",
        },
    )
    context = _contexts[workspace] = _AzureMLServiceContextLoader.get_service_context(plugin_uri)
    return context


def _check_plugin() -> None:
    try:
        installed = Version(version("azureml-mlflow"))
    except PackageNotFoundError:
        problem = "is not installed"
    else:
        if installed >= _MIN_PLUGIN_VERSION:
            return
        problem = f"is version {installed} and must be {_MIN_PLUGIN_VERSION} or newer"
    message = (
        "A workspace of Azure Machine Learning needs MLflow's plugin for it, azureml-mlflow, which "
        f"{problem}: pip install 'mlflow-gql-server[azure]'"
    )
    raise StoreConfigError(message)


def _reduce_logs() -> None:
    for name, level in _LOG_LEVELS.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET and logging.getLogger().level > logging.DEBUG:
            logger.setLevel(level)
