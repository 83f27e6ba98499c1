"""The model registry of a workspace: found by exact names there, by all else here."""

import pytest
from mlflow import MlflowClient

from gql_server.stores.azure.plugin_stores import open_registry
from gql_server.stores.mlflow.tracking import MlflowTracking
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS
from tests.support.stores import Store

NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'"


@pytest.fixture
def models(azure: Emulator, azure_store: Store) -> Store:
    """Give a workspace with three models, one of them tagged."""
    client = MlflowClient(azure.upstream, registry_uri=azure.upstream)
    for name in ("ridge", "forest", "forest-2"):
        client.create_registered_model(name, tags={"team": "red"} if name == "ridge" else {})
    return azure_store


@pytest.mark.parametrize(
    ("text", "names", "asked"),
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
def test_models_are_searched(
    azure: Emulator, models: Store, text: str | None, names: list[str], asked: int
) -> None:
    """Each filter of MLflow's finds what it means, and the service refuses none of what it is asked."""
    registry = open_registry(models.uri, 5)
    assert sorted(model.name for model in registry.search_registered_models(text)) == names
    assert azure.refused == []
    assert azure.calls["registered-models/search"] == asked


def test_models_come_in_pages(models: Store) -> None:
    """What is ordered or filtered here has pages as what is not."""
    registry = open_registry(models.uri, 5)
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


def test_a_model_is_looked_up(models: Store) -> None:
    """What the service has of the registry is asked as MLflow asks it."""
    registry = open_registry(models.uri, 5)
    assert registry.get_registered_model("ridge").tags == {"team": "red"}
    assert list(registry.search_model_versions("name = 'ridge'")) == []


async def test_one_token_serves_the_registry_too(azure: Emulator, models: Store) -> None:
    """The registry and artifacts of a workspace use the credential that it was opened with."""
    port = MlflowTracking(models.uri, LIMITS.store)
    await port.ready()
    open_registry(models.uri, 5).get_registered_model("ridge")
    assert azure.calls["token"] == 1
    await port.close()
