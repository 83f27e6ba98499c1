"""Fields for artifacts, models and the registry: their store calls and errors."""

import pytest

from schema.ports.artifacts import Folder
from schema.ports.errors import NotFound, UnsupportedByStore
from schema.ports.registry import VersionKey
from schema.types.node import global_id
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking, Record
from tests.support.schema.record_strategies import experiment, files, model, registered, run, version

DEEP = """{
  experiments { nodes { runs { nodes {
    datasets { name context }
    artifacts { path children { path children { path } } }
    loggedModels { name params { key } tags { key } metrics { key datasetName } sourceRun { name }
                   artifacts { name downloadUrl } }
    modelVersions { version aliases tags { key } run { name } loggedModel { name } registeredModel { name } }
  } } loggedModels { totalCount nodes { name } } } }
  registeredModels { totalCount nodes { tags { key } aliases { alias }
    versions { totalCount nodes { version } } } }
}"""


def _store(count: int) -> MemoryTracking:
    """Return a store of `count` experiments, each with `count` runs, models and versions."""
    stored = []
    versions: list[Record] = []
    for number in range(count):
        ids = [f"{number}.{index}" for index in range(count)]
        models = [model(f"m-{run_id}", run_id, experiment_id=str(number)) for run_id in ids]
        runs = [run(run_id, str(number)) for run_id in ids]
        stored.append(experiment(str(number), runs=runs, models=models))
        versions += [
            version("net", f"{number}{index}", source_run_id=run_id, logged_model_id=f"m-{run_id}")
            for index, run_id in enumerate(ids)
        ]
    names = [registered("net", versions=versions)] + [registered(f"n{number}") for number in range(count)]
    return MemoryTracking(stored, registered=names)


async def test_number_of_store_calls_does_not_depend_on_number_of_objects() -> None:
    """A query makes the same store calls for many objects as for one of each."""
    few, many = _store(1), _store(4)
    for store in (few, many):
        result = await execute_query(store, DEEP)
        assert result.errors == []
        assert result.fallbacks == []
    assert few.calls == many.calls
    assert many.calls["artifacts.listings"] == 3
    assert max(many.calls.values()) == 3


async def test_shared_run_is_looked_up_once() -> None:
    """Versions of one run or model look it up once, and versions without one do not."""
    versions = [version("net", "3"), *(version("net", str(n), source_run_id="r") for n in (2, 1))]
    store = MemoryTracking([experiment(runs=[run("r")])], registered=[registered(versions=versions)])
    result = await execute_query(
        store, "{ registeredModels { nodes { versions { nodes { run { name } } } } } }"
    )
    assert result.data is not None
    (listed,) = result.data["registeredModels"]["nodes"]
    assert [one["run"] for one in listed["versions"]["nodes"]] == [None, {"name": "run r"}, {"name": "run r"}]
    assert [request[1] for request in store.requests if request[0] == "runs_by_id"] == [["r"]]


async def test_folder_is_requested_by_its_path() -> None:
    """A path is passed to the store unchanged; the root is the empty path, and children their own paths."""
    store = MemoryTracking([experiment(runs=[run("r", files=files())], models=[])])
    query = """{ run(runId: "r") {
      root: artifacts { children { path } } one: artifacts(path: "plots/") { path } } }"""
    assert (await execute_query(store, query)).errors == []
    folders = [folder for call in store.requests if call[0] == "artifacts.listings" for folder in call[1]]
    assert folders == [Folder("run", "r", ""), Folder("run", "r", "plots/"), Folder("run", "r", "plots")]


async def test_files_have_no_children() -> None:
    """The children of a file are null without a store call; those of an empty folder are an empty list."""
    bare = [{"path": "x", "is_dir": False, "size": 0}]
    store = MemoryTracking([experiment(runs=[run("r", files=bare)])])
    result = await execute_query(store, '{ run(runId: "r") { artifacts { size children { path } } } }')
    assert result.data == {"run": {"artifacts": [{"size": 0, "children": None}]}}
    assert store.calls["artifacts.listings"] == 1
    empty = [{"path": "x", "is_dir": True, "size": None}]
    store = MemoryTracking([experiment(runs=[run("r", files=empty)])])
    result = await execute_query(store, '{ run(runId: "r") { artifacts { size children { path } } } }')
    assert result.data == {"run": {"artifacts": [{"size": None, "children": []}]}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('version: "2"', "2"),
        ('alias: "best"', "2"),
        ('version: "2", alias: null', "2"),
        ('alias: "nowhere"', None),
        ('alias: "unknown"', None),
        ('version: "7"', None),
        ('alias: ""', None),
    ],
)
async def test_version_by_number_or_alias(arguments: str, expected: str | None) -> None:
    """A version is found by both; an unknown number or alias returns null."""
    aliases = [{"alias": "best", "version": "2"}, {"alias": "nowhere", "version": "9"}]
    store = MemoryTracking([], registered=[registered(aliases=aliases)])
    result = await execute_query(store, f'{{ modelVersion(name: "net", {arguments}) {{ version aliases }} }}')
    assert result.errors == []
    assert result.data is not None
    assert (result.data["modelVersion"] or {}).get("version") == expected


@pytest.mark.parametrize("arguments", ['name: "net"', 'name: "net", version: "1", alias: "best"'])
async def test_model_version_takes_exactly_one_of_version_and_alias(arguments: str) -> None:
    """Neither or both is BAD_USER_INPUT without a store call."""
    store = MemoryTracking([], registered=[registered()])
    result = await execute_query(store, f"{{ modelVersion({arguments}) {{ version }} }}")
    assert result.messages == ["modelVersion takes exactly one of version and alias."]
    assert store.calls == {}


async def test_nodes_of_all_types_are_found_by_global_id() -> None:
    """Every node is returned by its global id, for each type and any name."""
    store = MemoryTracking(
        [experiment(runs=[run("r")], models=[model("m-1", "r")])],
        registered=[registered("a:b/c"), registered("net")],
    )
    ids = [
        global_id("ModelVersion", "2:a:b/c"),
        global_id("LoggedModel", "m-1"),
        global_id("RegisteredModel", "a:b/c"),
        global_id("RegisteredModel", "none"),
    ]
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
      ... on LoggedModel { name } ... on RegisteredModel { name } ... on ModelVersion { version } } }"""
    result = await execute_query(store, query, {"ids": ids})
    assert result.data == {
        "nodes": [
            {"id": ids[0], "version": "2"},
            {"id": ids[1], "name": "model m-1"},
            {"id": ids[2], "name": "a:b/c"},
            None,
        ]
    }
    assert store.calls["registry.versions_by_key"] == 1
    assert next(call[1] for call in store.requests if call[0] == "registry.versions_by_key") == [
        VersionKey("a:b/c", "2")
    ]


async def test_error_in_one_field_keeps_the_others() -> None:
    """If artifacts fail, the rest of the data is returned, and the error has their path."""
    store = MemoryTracking([experiment(runs=[run("r")])])
    store.failing["artifacts.listings"] = UnsupportedByStore("elsewhere")
    query = '{ runs { nodes { name } } run(runId: "r") { name artifacts { path } } }'
    result = await execute_query(store, query)
    run_data = {"name": "run r", "artifacts": None}
    assert result.data == {"runs": {"nodes": [{"name": "run r"}]}, "run": run_data}
    assert [(error.message, error.path) for error in result.errors] == [("elsewhere", ["run", "artifacts"])]
    store.failing["artifacts.listings"] = NotFound("gone")
    assert (await execute_query(store, query)).messages == ["gone"]
