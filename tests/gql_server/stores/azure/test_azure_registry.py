"""The model registry of a workspace, which the service searches only by exact name."""

import pytest
from mlflow import MlflowClient

from gql_server.stores.azure.plugin_stores import open_workspace_registry
from gql_server.stores.mlflow.tracking import MlflowTracking
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'"


@pytest.fixture
def models(azure: Emulator, azure_store: Store) -> Store:
    """Return a workspace with three registered models, of which one has a tag."""
    client = MlflowClient(azure.upstream, registry_uri=azure.upstream)
    for name in ("ridge", "forest", "forest-2"):
        client.create_registered_model(name, tags={"team": "red"} if name == "ridge" else {})
    return azure_store


@pytest.mark.parametrize(
    ("text", "names", "requests"),
    [
        (None, ["forest", "forest-2", "ridge"], 1),
        (NO_PROMPTS, ["forest", "forest-2", "ridge"], 1),
        ("name = 'ridge'", ["ridge"], 1),
        (f"name = 'ridge' AND {NO_PROMPTS}", ["ridge"], 1),
        ("name LIKE 'forest%'", ["forest", "forest-2"], 1),
        ("tags.team = 'red'", ["ridge"], 1),
        (f"name ILIKE 'FOREST' AND {NO_PROMPTS}", ["forest"], 1),
    ],
)
def test_each_filter_finds_its_models(
    azure: Emulator, models: Store, text: str | None, names: list[str], requests: int
) -> None:
    """Each MLflow filter finds the matching models, and the service refuses no request."""
    registry = open_workspace_registry(models.uri, 5)
    assert sorted(model.name for model in registry.search_registered_models(text)) == names
    assert azure.refused == []
    assert azure.calls["registered-models/search"] == requests


def test_models_are_returned_in_pages(models: Store) -> None:
    """A search that this server orders or filters has pages as well."""
    registry = open_workspace_registry(models.uri, 5)
    for text, order in ((None, None), (None, ["name ASC"]), ("name LIKE '%'", None)):
        names: list[str] = []
        token: str | None = None
        while True:
            page = registry.search_registered_models(text, 2, order, token)
            names += [model.name for model in page]
            token = page.token or None
            if token is None:
                break
        assert names == ["forest", "forest-2", "ridge"]


def test_model_is_looked_up_by_name(models: Store) -> None:
    """Lookups that the service supports are sent unchanged."""
    registry = open_workspace_registry(models.uri, 5)
    assert registry.get_registered_model("ridge").tags == {"team": "red"}
    assert list(registry.search_model_versions("name = 'ridge'")) == []


async def test_registry_uses_the_token_of_the_store(azure: Emulator, models: Store) -> None:
    """The registry of a workspace uses the credential of its opened store."""
    port = MlflowTracking(models.uri, LIMITS.store)
    await port.ready()
    open_workspace_registry(models.uri, 5).get_registered_model("ridge")
    assert azure.calls["token"] == 1
    await port.close()
