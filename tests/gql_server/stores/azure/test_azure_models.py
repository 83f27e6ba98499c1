"""Artifacts, registered models and logged models of a workspace, through the graph."""

from mlflow import MlflowClient

from tests.support.app.graphql_client import graphql_client
from tests.support.azure.emulator import Emulator
from tests.support.stores.store import Store


async def test_run_has_artifacts_and_no_logged_models(azure: Emulator, azure_store: Store) -> None:
    """Artifacts are listed without sizes, registered models are found, and there are no logged models."""
    MlflowClient(azure.upstream, registry_uri=azure.upstream).create_registered_model("ridge")
    location = azure.artifact_location("spirals")
    experiment = azure_store.client.create_experiment("with artifacts", artifact_location=location)
    run = azure_store.client.create_run(experiment).info.run_id
    azure.artifacts[run] = ["model/MLmodel", "model2/x.txt", "log.txt"]
    async with graphql_client(azure_store.uri) as graphql:
        data = await graphql.data(
            """query ($run: ID!) {
                 run(runId: $run) { artifacts { path isDir size } loggedModels { name } }
                 registeredModels { nodes { name } }
               }""",
            run=run,
        )
    assert data["run"]["artifacts"] == [
        {"path": "log.txt", "isDir": False, "size": None},
        {"path": "model", "isDir": True, "size": None},
        {"path": "model2", "isDir": True, "size": None},
    ]
    assert data["run"]["loggedModels"] == []
    assert data["registeredModels"] == {"nodes": [{"name": "ridge"}]}
    assert azure.refused == []
