"""The Azure cloud that a workspace is in.

Without AZUREML_CURRENT_CLOUD the plugin requests the cloud from Azure's metadata address, and waits half a
minute.
"""

import os

from gql_server.stores.azure.workspace_uri import Workspace
from gql_server.stores.store_config_error import StoreConfigError

_VARIABLE = "AZUREML_CURRENT_CLOUD"
_CLOUD_BY_SUFFIX = {".azure.cn": "AzureChinaCloud", ".azure.us": "AzureUSGovernment"}
_AUTHORITY_HOSTS = {
    "AzureCloud": "login.microsoftonline.com",
    "AzureChinaCloud": "login.chinacloudapi.cn",
    "AzureUSGovernment": "login.microsoftonline.us",
}


def set_cloud(workspace: Workspace) -> str | None:
    """Set the plugin's variable if the user has not, and return the cloud's sign-in host.

    Returns None if the user has set AZURE_AUTHORITY_HOST. Raises `StoreConfigError` for an unknown cloud, for
    which the plugin would request metadata.
    """
    host = workspace.host.partition(":")[0].lower()
    default = next(
        (cloud for suffix, cloud in _CLOUD_BY_SUFFIX.items() if host.endswith(suffix)), "AzureCloud"
    )
    cloud = os.environ.setdefault(_VARIABLE, default)
    if cloud not in _AUTHORITY_HOSTS:
        message = f"{_VARIABLE}={cloud!r} is not a cloud; use one of {', '.join(_AUTHORITY_HOSTS)}."
        raise StoreConfigError(message)
    return None if "AZURE_AUTHORITY_HOST" in os.environ else _AUTHORITY_HOSTS[cloud]
