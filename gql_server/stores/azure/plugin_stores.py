"""From the tracking URI of a workspace to the plugin's stores, which ask no person and no other address."""

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

    from gql_server.stores.azure.artifacts import WorkspaceArtifacts

_LEAST = Version("1.62.0.post6")
"""Of the plugin. Installers fall back to 1.60.0, which takes any MLflow, and cannot read artifacts."""
_TALKATIVE = {"azure": logging.WARNING, "azure.identity": logging.ERROR, "azureml": logging.WARNING}
"""What these log below that is each request with its headers, or a dozen lines for a missing credential."""

_contexts: dict[Workspace, Any] = {}
"""The contexts of workspaces that were opened: as many as the settings name."""


def open_workspace(uri: str, credential_timeout: float) -> "AbstractStore":
    """Open the tracking store of a workspace; nothing is asked of it yet.

    Raises `StoreConfigError` where the URI, the plugin's version or a variable has to be mended first.
    """
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.workspace_store import WorkspaceStore  # noqa: PLC0415 - needs the plugin

    return WorkspaceStore(_context(workspace, credential_timeout))


def open_registry(uri: str, credential_timeout: float) -> "AbstractRegistry":
    """Open the model registry of a workspace; raises as `open_workspace` does."""
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.workspace_store import WorkspaceRegistry  # noqa: PLC0415 - needs the plugin

    return WorkspaceRegistry(_shared_context(workspace, credential_timeout))


def open_artifacts(
    uri: str, artifact_uri: str, credential_timeout: float, *, timeout: float, most: int
) -> "WorkspaceArtifacts":
    """Return the repository at an artifact URI of a run in the workspace at a tracking URI.

    Raises as `open_workspace` does, and `BadUserInput` for an artifact URI that is no run's.
    """
    workspace = parse_workspace(uri)
    _check_plugin()
    from gql_server.stores.azure.artifacts import WorkspaceArtifacts  # noqa: PLC0415 - needs the plugin

    context = _shared_context(workspace, credential_timeout)
    return WorkspaceArtifacts(context, artifact_uri, timeout=timeout, most=most)


def _shared_context(workspace: Workspace, credential_timeout: float) -> Any:
    """Return the context, and so the token, that the workspace was opened with last; a new one without."""
    return _contexts.get(workspace) or _context(workspace, credential_timeout)


def _context(workspace: Workspace, credential_timeout: float) -> Any:
    """Give the plugin a credential of our own for this workspace, and return what it keeps under its URI."""
    from azureml.mlflow import get_mlflow_tracking_uri_v2  # noqa: PLC0415 - needs the plugin
    from azureml.mlflow._internal.service_context_loader import (  # noqa: PLC0415
        _AzureMLServiceContextLoader,
    )

    from gql_server.stores.azure.cloud import set_cloud  # noqa: PLC0415
    from gql_server.stores.azure.credential import CachedCredential, unattended_credential  # noqa: PLC0415

    _quieten()
    authority = set_cloud(workspace)
    known_as = get_mlflow_tracking_uri_v2(
        SimpleNamespace(ml_flow_tracking_uri=workspace.uri),
        {
            "subscription_id": workspace.subscription,
            "resource_group_name": workspace.resource_group,
            "workspace_name": workspace.name,
            "auth": CachedCredential(lambda: unattended_credential(authority, credential_timeout)),
            "host_url": f"https://{workspace.host}",
        },
    )
    context = _contexts[workspace] = _AzureMLServiceContextLoader.get_service_context(known_as)
    return context


def _check_plugin() -> None:
    try:
        installed = Version(version("azureml-mlflow"))
    except PackageNotFoundError:
        said = "is not installed"
    else:
        if installed >= _LEAST:
            return
        said = f"is {installed}, and has to be {_LEAST} or newer"
    message = (
        "A workspace of Azure Machine Learning needs MLflow's plugin for it, azureml-mlflow, which "
        f"{said}: pip install 'mlflow-gql-server[azure]'"
    )
    raise StoreConfigError(message)


def _quieten() -> None:
    for name, level in _TALKATIVE.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET and logging.getLogger().level > logging.DEBUG:
            logger.setLevel(level)
