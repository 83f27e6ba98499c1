"""A value that one object has in the database does not affect the fields of others."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from sqlalchemy import Connection, MetaData, Table

from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

EXPERIMENTS = """experiments(orderBy: [{attribute: EXPERIMENT_ID}]) { nodes {
  id name artifactLocation lifecycleStage createdAt updatedAt tags { key value } metricKeys paramKeys tagKeys
  bestRun(metric: "m") { name }
  loggedModels { totalCount nodes { id name status modelType createdAt artifactLocation
    params { key value } tags { key value } metrics { key value step timestamp } sourceRun { name } } }
  runs(orderBy: [{attribute: NAME}]) { totalCount nodes {
    id name status lifecycleStage userId startedAt endedAt durationSeconds artifactUri experiment { name }
    params { key value } param(key: "p") tags { key value } tag(key: "t")
    metrics { key value step timestamp history { step timestamp value } series { steps timestamps values } }
    metric(key: "m") { value timestamp } parent { name } children { totalCount nodes { name } }
    datasets { name digest sourceType source schema profile context }
    loggedModels { name } modelVersions { name version } } } } }"""
MODELS = """registeredModels { nodes {
  id name description createdAt updatedAt tags { key value } aliases { alias version }
  versions { totalCount nodes { id version stage status description source createdAt updatedAt aliases
    tags { key value } run { name } loggedModel { name } } } } }"""
ROWS = """experimentRows { name createdAt } runRows { runName status startedAt } paramRows { runId value }
  tagRows { runId value } metricRows { runId value step timestamp }
  metricPointRows { runId value timestamp }"""
QUERY = f"{{ {EXPERIMENTS} {MODELS} {ROWS} }}"
TABLES = (
    *("runs", "experiments", "params", "tags", "metrics", "latest_metrics", "experiment_tags"),
    *("datasets", "inputs", "input_tags", "registered_models", "registered_model_tags"),
    *("registered_model_aliases", "model_versions", "model_version_tags", "logged_models"),
    *("logged_model_params", "logged_model_tags", "logged_model_metrics"),
)
HIDES_THE_ROW = {"lifecycle_stage", "experiment_id"}
"""Columns without which a row is in no list."""


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def database(request: pytest.FixtureRequest) -> Store:
    """Return a store in each kind of database, with everything twice, for `one` and for `two`."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    client = MlflowClient(store.uri, store.uri)
    for number, name in enumerate(("one", "two")):
        experiment = client.create_experiment(name, tags={"t": name})
        run = client.create_run(experiment, 1000 + number, {"t": name}, name).info.run_id
        client.create_run(experiment, 2000 + number, {"mlflow.parentRunId": run}, f"{name} child")
        client.log_param(run, "p", name)
        for step in (1, 2):
            client.log_metric(run, "m", step, 3000, step)
        context = InputTag(MLFLOW_DATASET_CONTEXT, "train")
        client.log_inputs(run, [DatasetInput(Dataset(name, "d", "local", "{}"), [context])])
        client.create_registered_model(name, {"t": name})
        client.create_model_version(name, f"runs:/{run}/model", run, {"t": name}, await_creation_for=0)
        client.set_registered_model_alias(name, "champion", "1")
        client.create_logged_model(experiment, name, run, tags={"t": name}, params={"p": name})
    return store


@pytest.fixture
def connection(database: Store) -> Iterator[Connection]:
    """Give a connection to the database."""
    engine = sqlalchemy.create_engine(database.uri, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _rows_of_one(table: Table, connection: Connection) -> Any:
    """Return the condition of the rows of `one`: half of the rows, those made first."""
    owner = next(
        column
        for column in table.columns
        if column.name in {"run_uuid", "model_id", "dataset_uuid", "input_uuid", "name", "experiment_id"}
    )
    (first,) = connection.execute(_FIRST.get(table.name, sqlalchemy.select(sqlalchemy.func.min(owner)))).one()
    return owner == first


_FIRST: dict[str, Any] = {
    **dict.fromkeys(
        ("runs", "params", "tags", "metrics", "latest_metrics"),
        sqlalchemy.text("SELECT run_uuid FROM runs WHERE name = 'one'"),
    ),
    **dict.fromkeys(
        ("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics"),
        sqlalchemy.text("SELECT model_id FROM logged_models WHERE name = 'one'"),
    ),
    **dict.fromkeys(
        ("experiments", "experiment_tags"),
        sqlalchemy.text("SELECT experiment_id FROM experiments WHERE name = 'one'"),
    ),
    "datasets": sqlalchemy.text("SELECT dataset_uuid FROM datasets WHERE name = 'one'"),
    "inputs": sqlalchemy.text(
        "SELECT input_uuid FROM inputs JOIN datasets ON source_id = dataset_uuid WHERE name = 'one'"
    ),
    "input_tags": sqlalchemy.text(
        "SELECT input_uuid FROM inputs JOIN datasets ON source_id = dataset_uuid WHERE name = 'one'"
    ),
}


def _of_two(data: Any) -> Any:
    """Return the part of an answer that is of `two`."""
    experiments = [each for each in data["experiments"]["nodes"] if each["name"] == "two"]
    models = [each for each in data["registeredModels"]["nodes"] if each["name"] == "two"]
    (experiment,), (model,) = experiments, models
    return experiment, model


async def test_missing_values_leave_other_objects(database: Store, connection: Connection) -> None:
    """A null in any column that permits it is no error, and leaves what other objects have."""
    metadata = MetaData()
    metadata.reflect(connection, only=TABLES)
    nullable = [
        (table, column)
        for table in map(metadata.tables.__getitem__, TABLES)
        for column in table.columns
        if column.nullable
    ]
    nullable.sort(key=lambda pair: pair[1].name in HIDES_THE_ROW)
    conditions = {table: _rows_of_one(table, connection) for table, _ in nullable}
    async with graphql_client(database.uri, max_cost=10**7, **UNCACHED) as graphql:
        expected = _of_two(await graphql.data(QUERY))
        for table, column in nullable:
            changed = connection.execute(table.update().where(conditions[table]).values({column: None}))
            assert changed.rowcount or table.name == "logged_model_metrics", table.name
            data = await graphql.data(QUERY)
            assert _of_two(data) == expected, f"{table.name}.{column.name}"
            if column.name == "status" and table.name == "runs":
                statuses = {run["runName"]: run["status"] for run in data["runRows"]}
                assert (statuses["one"], statuses["two"]) == ("SCHEDULED", "RUNNING")
    assert len(nullable) > 30


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("table", "column", "field"),
    [
        ("runs", "start_time", "startedAt"),
        ("runs", "end_time", "endedAt"),
        ("experiments", "creation_time", "createdAt"),
    ],
)
async def test_invalid_value_is_the_stores_fault(
    database: Store, connection: Connection, table: str, column: str, field: str
) -> None:
    """A value of another type, which SQLite permits, is null with an error of the store at its path."""
    update = f"UPDATE {table} SET {column} = 'nonsense' WHERE name = 'one'"  # noqa: S608
    connection.execute(sqlalchemy.text(update))
    query = "{ %s(orderBy: [{attribute: NAME}]) { nodes { name %s } } }" % (table, field)  # noqa: UP031
    async with graphql_client(database.uri, **UNCACHED) as graphql:
        body = (await graphql.response(query)).json()
    assert "two" in {node["name"] for node in body["data"][table]["nodes"]}
    (error,) = body["errors"]
    assert (error["path"][-1], error["extensions"]["code"]) == (field, "STORE_UNAVAILABLE")
