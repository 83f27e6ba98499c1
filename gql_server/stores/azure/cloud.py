"""Which of Azure's clouds a workspace is in.

The plugin asks the address of Azure's metadata for it, and waits half a minute, unless a variable says so.
"""

import os

from gql_server.stores.azure.workspace_uri import Workspace
from gql_server.stores.store_config_error import StoreConfigError

_VARIABLE = "AZUREML_CURRENT_CLOUD"
_BY_SUFFIX = {".azure.cn": "AzureChinaCloud", ".azure.us": "AzureUSGovernment"}
_AUTHORITIES = {
    "AzureCloud": "login.microsoftonline.com",
    "AzureChinaCloud": "login.chinacloudapi.cn",
    "AzureUSGovernment": "login.microsoftonline.us",
}


def set_cloud(workspace: Workspace) -> str | None:
    """Set the plugin's variable where the user has not, and return the host that signs in there.

    None means that the user has chosen that by AZURE_AUTHORITY_HOST. Raises `StoreConfigError` for a cloud
    that the plugin would have to ask for.
    """
    host = workspace.host.partition(":")[0].lower()
    by_host = next((cloud for suffix, cloud in _BY_SUFFIX.items() if host.endswith(suffix)), "AzureCloud")
    cloud = os.environ.setdefault(_VARIABLE, by_host)
    if cloud not in _AUTHORITIES:
        message = f"{_VARIABLE}={cloud!r} is no cloud; it may be {', '.join(_AUTHORITIES)}."
        raise StoreConfigError(message)
    return None if "AZURE_AUTHORITY_HOST" in os.environ else _AUTHORITIES[cloud]
