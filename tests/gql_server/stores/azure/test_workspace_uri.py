"""Tracking URIs of workspaces: the one right form, and what is said of all others."""

import pytest

from gql_server.stores.azure.cloud import set_cloud
from gql_server.stores.azure.workspace_uri import Workspace, parse_workspace
from gql_server.stores.store_config_error import StoreConfigError

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/my_rg.(1)"
    "/providers/Microsoft.MachineLearningServices/workspaces/my-ws"
)
RIGHT = f"azureml://westeurope.api.azureml.ms/mlflow/v1.0{SCOPE}"
OURS = Workspace("westeurope.api.azureml.ms", SUBSCRIPTION, "my_rg.(1)", "my-ws")


@pytest.mark.parametrize(
    "uri", [RIGHT, RIGHT.replace("v1.0", "v2.0"), f"{RIGHT}?", f"{RIGHT}/", f"{RIGHT}?a=b"]
)
def test_what_azure_prints_is_taken(uri: str) -> None:
    """Either version of the API, and the question mark that some of Azure's tools leave at the end."""
    assert parse_workspace(uri) == OURS
    assert OURS.uri == RIGHT


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (RIGHT.replace("resourceGroups", "resourcegroups"), "case"),
        (RIGHT.replace("Microsoft.MachineLearningServices", "microsoft.machinelearningservices"), "case"),
        (RIGHT.replace("workspaces", "Workspaces"), "case"),
        (RIGHT.replace("azureml://westeurope.api.azureml.ms", "azureml:"), "host"),
        (RIGHT.replace("azureml://", "azureml:"), "host"),
        (RIGHT.replace("westeurope.api.azureml.ms", "user:pw@h"), "host"),
        (RIGHT.replace("/workspaces/my-ws", ""), "workspace"),
        (RIGHT.replace("my-ws", ""), "workspace"),
        (RIGHT.replace("my-ws", "a b"), "workspace"),
        (RIGHT.replace("/mlflow/v1.0", ""), "/mlflow/v1.0"),
        (RIGHT.replace("v1.0", "v3.0"), "/mlflow/v1.0"),
        (f"{RIGHT}/experiments/1", "something more"),
        ("azureml://h", "workspace"),
        ("azureml:", "host"),
    ],
)
def test_another_form_is_answered_with_the_right_one(uri: str, said: str) -> None:
    """The message has what is wrong, and the form with whatever of it was there."""
    with pytest.raises(StoreConfigError) as caught:
        parse_workspace(uri)
    message = str(caught.value)
    wrong, _, form = message.partition("; the form is ")
    assert said in wrong
    assert form.startswith("azureml://")
    assert "/resourceGroups/" in form
    assert "az ml workspace show" in form
    assert "\n" not in message
    if said == "case":
        assert RIGHT in form


@pytest.mark.parametrize(
    ("host", "cloud", "authority"),
    [
        ("westeurope.api.azureml.ms", "AzureCloud", "login.microsoftonline.com"),
        ("chinaeast2.api.ml.azure.cn", "AzureChinaCloud", "login.chinacloudapi.cn"),
        ("usgovvirginia.api.ml.azure.us", "AzureUSGovernment", "login.microsoftonline.us"),
        ("127.0.0.1:5000", "AzureCloud", "login.microsoftonline.com"),
    ],
)
def test_the_cloud_is_the_hosts(
    monkeypatch: pytest.MonkeyPatch, host: str, cloud: str, authority: str
) -> None:
    """The plugin is told the cloud, instead of asking an address of Azure's, and so is the sign-in."""
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "")
    monkeypatch.delenv("AZUREML_CURRENT_CLOUD")
    workspace = Workspace(host, "s", "g", "w")
    assert set_cloud(workspace) == authority
    with pytest.MonkeyPatch.context() as own:
        own.setenv("AZURE_AUTHORITY_HOST", "login.example.org")
        assert set_cloud(workspace) is None
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureStack")
    with pytest.raises(StoreConfigError, match=f"AzureStack.*{cloud}"):
        set_cloud(workspace)
