"""Tracking URIs of workspaces: the valid form, and the errors for others."""

import pytest

from gql_server.stores.azure.cloud import set_cloud
from gql_server.stores.azure.workspace_uri import Workspace, parse_workspace
from gql_server.stores.store_config_error import StoreConfigError

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/my_rg.(1)"
    "/providers/Microsoft.MachineLearningServices/workspaces/my-ws"
)
VALID_URI = f"azureml://westeurope.api.azureml.ms/mlflow/v1.0{SCOPE}"
WORKSPACE = Workspace("westeurope.api.azureml.ms", SUBSCRIPTION, "my_rg.(1)", "my-ws")


@pytest.mark.parametrize(
    "uri",
    [VALID_URI, VALID_URI.replace("v1.0", "v2.0"), f"{VALID_URI}?", f"{VALID_URI}/", f"{VALID_URI}?a=b"],
)
def test_uris_printed_by_azure_are_accepted(uri: str) -> None:
    """Both API versions and the trailing question mark of some of Azure's tools are accepted."""
    assert parse_workspace(uri) == WORKSPACE
    assert WORKSPACE.uri == VALID_URI


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        (VALID_URI.replace("resourceGroups", "resourcegroups"), "case"),
        (VALID_URI.replace("Microsoft.MachineLearningServices", "microsoft.machinelearningservices"), "case"),
        (VALID_URI.replace("workspaces", "Workspaces"), "case"),
        (VALID_URI.replace("azureml://westeurope.api.azureml.ms", "azureml:"), "host"),
        (VALID_URI.replace("azureml://", "azureml:"), "host"),
        (VALID_URI.replace("westeurope.api.azureml.ms", "user:pw@h"), "host"),
        (VALID_URI.replace("/workspaces/my-ws", ""), "workspace"),
        (VALID_URI.replace("my-ws", ""), "workspace"),
        (VALID_URI.replace("my-ws", "a b"), "workspace"),
        (VALID_URI.replace("/mlflow/v1.0", ""), "/mlflow/v1.0"),
        (VALID_URI.replace("v1.0", "v3.0"), "/mlflow/v1.0"),
        (f"{VALID_URI}/experiments/1", "something more"),
        ("azureml://h", "workspace"),
        ("azureml:", "host"),
    ],
)
def test_invalid_uri_error_shows_the_valid_form(uri: str, problem: str) -> None:
    """The message names the problem, and the valid form filled with the parts that were given."""
    with pytest.raises(StoreConfigError) as caught:
        parse_workspace(uri)
    message = str(caught.value)
    reported, _, form = message.partition("; the form is ")
    assert problem in reported
    assert form.startswith("azureml://")
    assert "/resourceGroups/" in form
    assert "az ml workspace show" in form
    assert "\n" not in message
    if problem == "case":
        assert VALID_URI in form


@pytest.mark.parametrize(
    ("host", "cloud", "authority"),
    [
        ("westeurope.api.azureml.ms", "AzureCloud", "login.microsoftonline.com"),
        ("chinaeast2.api.ml.azure.cn", "AzureChinaCloud", "login.chinacloudapi.cn"),
        ("usgovvirginia.api.ml.azure.us", "AzureUSGovernment", "login.microsoftonline.us"),
        ("127.0.0.1:5000", "AzureCloud", "login.microsoftonline.com"),
    ],
)
def test_cloud_is_derived_from_the_host(
    monkeypatch: pytest.MonkeyPatch, host: str, cloud: str, authority: str
) -> None:
    """The plugin's variable and the sign-in host are set, so that the plugin requests no metadata."""
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "")
    monkeypatch.delenv("AZUREML_CURRENT_CLOUD")
    workspace = Workspace(host, "s", "g", "w")
    assert set_cloud(workspace) == authority
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURE_AUTHORITY_HOST", "login.example.org")
        assert set_cloud(workspace) is None
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureStack")
    with pytest.raises(StoreConfigError, match=f"AzureStack.*{cloud}"):
        set_cloud(workspace)
