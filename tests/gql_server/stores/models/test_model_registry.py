"""The model registry is the same on every kind of store."""

from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersion

from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.tracking import Page
from tests.gql_server.stores.models.conftest import StoreUnderTest
from tests.support.schema.port_results import mapping_by_parent, row_by_parent, rows_by_parent

NAME = frozenset({"name"})
# As psycopg 3 requires: MLflow passes a version to the database without conversion.
ONE: Any = 1
TWO: Any = 2
VERSION = frozenset({"name", "version"})
ALL = Page(100, None, NAME)


def register_model(tested: StoreUnderTest, name: str, **given: Any) -> None:
    """Register a model without versions."""
    tested.client.create_registered_model(name, **given)


def register_version(
    tested: StoreUnderTest,
    name: str,
    source: str = "s3://bucket/net",
    run_id: str | None = None,
    **given: Any,
) -> ModelVersion:
    """Register a version."""
    # Through the store: a server checks the source of a version.
    store = tested.client._get_registry_client().store  # noqa: SLF001 - the client waits until the version is ready
    version: ModelVersion = store.create_model_version(name, source, run_id, **given)
    return version


async def search_names(tested: StoreUnderTest, filter_: str | None = None) -> list[str]:
    """Return the names of the models that match a filter."""
    pages = await tested.port.registry.models(filter_, ALL)
    assert await tested.port.registry.count_models(filter_) == pages.rows.size
    return list(pages.rows["name"])


async def test_registered_model_has_requested_columns(tested: StoreUnderTest) -> None:
    """Each column is MLflow's value; an empty description is None."""
    register_model(tested, "net", description="a net", tags={"b": "2", "a": "é"})
    register_model(tested, "bare")
    columns = frozenset({"name", "description", "created_at", "updated_at"})
    registry = tested.port.registry
    one = await registry.models_by_name(["bare", "nothing", "net", "NET"], columns)
    assert row_by_parent(one, "name", "description") == [("bare", None), None, ("net", "a net"), None]
    mlflow = tested.client.get_registered_model("net")
    assert row_by_parent(one, "created_at", "updated_at")[2] == (
        mlflow.creation_timestamp,
        mlflow.last_updated_timestamp,
    )
    assert mapping_by_parent(await registry.model_tags(["net", "bare", "nothing"])) == [
        {"a": "é", "b": "2"},
        {},
        {},
    ]


async def test_search_matches_mlflow(tested: StoreUnderTest) -> None:
    """Each filter matches the models that MLflow's own search returns, by name."""
    for name, tags in (("a", {"t": "x"}), ("B", {"t": "y", "u": "x"}), ("it's", {}), ("é", {"t": "x"})):
        register_model(tested, name, tags=tags)
    assert await search_names(tested) == ["B", "a", "it's", "é"]
    for filter_ in (
        "name = 'a'",
        "name != 'a'",
        "name LIKE '%'",
        "name LIKE 'b'",
        "name ILIKE 'b'",
        'name = "it\'s"',
        "tags.t = 'x'",
        "tags.t = 'x' AND name LIKE 'a%'",
        "tags.t LIKE '%' AND tags.u = 'x'",
        "tags.t != 'x'",
        "tags.`nothing` = 'x'",
    ):
        expected = tested.client.search_registered_models(filter_)
        assert await search_names(tested, filter_) == sorted(model.name for model in expected), filter_


@pytest.mark.parametrize("any_store", ["sqlite", "postgres", "mysql"], indirect=True)
async def test_databases_find_names_in_lists(tested: StoreUnderTest) -> None:
    """A list finds exactly its names in a database of each version; other stores need MLflow 3.17."""
    for name in ("a", "B", "it's"):
        register_model(tested, name)
    assert await search_names(tested, "name IN ('a', 'b', \"it's\")") == ["a", "it's"]
    assert await search_names(tested, "name NOT IN ('A', 'B')") == ["a", "it's"]
    assert await search_names(tested, r"name IN ('\x61', '\x00')") == ["a"]
    register_model(tested, "é")
    register_model(tested, "a\\b")
    assert await search_names(tested, "name LIKE '_'") == ["B", "a", "é"]
    assert await search_names(tested, "name LIKE 'a\\_'") == ["a\\b"]


async def test_prompts_are_found_but_not_listed(tested: StoreUnderTest) -> None:
    """A prompt is listed only if a filter selects it; its name and its versions find it."""
    run_id = tested.client.create_run("0").info.run_id
    register_model(tested, "net")
    tested.client.register_prompt("ask", "Say {{it}}.")
    registry = tested.port.registry
    assert await search_names(tested) == ["net"]
    assert row_by_parent(await registry.models_by_name(["ask", "net"], NAME), "name") == ["ask", "net"]
    assert row_by_parent(await registry.versions_by_key([VersionKey("ask", "1")], VERSION), "version") == [
        "1"
    ]
    assert rows_by_parent(await registry.versions_of_runs([run_id], VERSION), "name") == [[]]
    if tested.kind != "file":
        # MLflow's file store leaves them out of any search.
        assert await search_names(tested, "tags.`mlflow.prompt.is_prompt` = 'true'") == ["ask"]
        assert (await registry.versions(["ask", "net"], Page(5, None, VERSION))).rows["version"] == ["1"]
        assert await registry.count_versions(["ask", "net"]) == [1, 0]


async def test_invalid_filter_is_refused(tested: StoreUnderTest) -> None:
    """A filter that MLflow cannot parse, or no store can have, raises `BadUserInput`."""
    register_model(tested, "net")
    filters = ("bogus = 'a'", "name > 'a'", "name = 'a' OR name = 'b'", "name =", "name = 'a\x00'")
    for filter_ in filters:
        with pytest.raises(BadUserInput):
            await tested.port.registry.models(filter_, ALL)


async def test_models_are_paginated_by_name(tested: StoreUnderTest) -> None:
    """Pages follow each other by name, and any position can be continued."""
    names = ["a", "b", "c", "d"]
    for name in reversed(names):
        register_model(tested, name)
    registry = tested.port.registry
    first = await registry.models(None, Page(3, None, NAME))
    assert (list(first.rows["name"]), list(first.has_next)) == (names[:3], [True])
    for row in range(3):
        rest = await registry.models(None, Page(10, first.position(row), NAME))
        assert (list(rest.rows["name"]), list(rest.has_next)) == (names[row + 1 :], [False])


async def test_version_has_requested_columns(tested: StoreUnderTest) -> None:
    """Each column is MLflow's value; ids of runs and logged models are None if they are invalid."""
    run_id = tested.client.create_run("0").info.run_id
    register_model(tested, "net")
    tags = {"b": "2", "a": ""}
    model = tested.client.create_logged_model("0", "net-model", run_id)
    model_id = model.model_id
    created = tested.client.create_model_version(
        *("net", model.artifact_location, run_id),
        description="the first",
        await_creation_for=0,
        model_id=model_id,
    )
    for key, value in tags.items():
        tested.client.set_model_version_tag("net", ONE, key, value)
    register_version(tested, "net")
    columns = frozenset(
        {
            *("name", "version", "stage", "status", "description", "source", "created_at"),
            *("updated_at", "source_run_id", "logged_model_id"),
        }
    )
    registry = tested.port.registry
    keys = [VersionKey("net", "2"), VersionKey("net", "9"), VersionKey("net", "1"), VersionKey("no", "1")]
    one = await registry.versions_by_key(keys, columns)
    names = ("version", "stage", "status", "description", "source", "source_run_id", "logged_model_id")
    assert row_by_parent(one, *names) == [
        ("2", None, "READY", None, "s3://bucket/net", None, None),
        None,
        ("1", None, "READY", "the first", created.source, run_id, model_id),
        None,
    ]
    assert row_by_parent(one, "created_at")[2] == created.creation_timestamp
    assert mapping_by_parent(await registry.version_tags(keys)) == [{}, {}, tags, {}]


async def test_versions_of_models(tested: StoreUnderTest) -> None:
    """Versions are sorted by model, the latest first, without deleted versions."""
    for name, count in (("one", 3), ("two", 1), ("none", 0)):
        register_model(tested, name)
        for _ in range(count):
            register_version(tested, name)
    tested.client.delete_model_version("one", TWO)
    registry = tested.port.registry
    names = ["two", "one", "none", "nothing", "one"]
    page = await registry.versions(names, Page(1, None, VERSION))
    rows = list(zip(page.rows["name"], page.rows["version"], strict=True))
    assert [rows[start:stop] for start, stop in page.spans] == [
        [("two", "1")],
        [("one", "3")],
        [],
        [],
        [("one", "3")],
    ]
    assert list(page.has_next) == [False, True, False, False, True]
    assert await registry.count_versions(names) == [1, 2, 0, 0, 2]
    alone = await registry.versions(["one"], Page(1, None, VERSION))
    rest = await registry.versions(["one"], Page(5, alone.position(0), VERSION))
    assert list(rest.rows["version"]) == ["1"]


async def test_versions_of_runs(tested: StoreUnderTest) -> None:
    """Versions made from a run are sorted by name, the latest first, without deleted versions and prompts."""
    one, none = (tested.client.create_run("0").info.run_id for _ in range(2))
    for name in ("b", "a"):
        register_model(tested, name)
    for name in ("b", "a", "a", "a"):
        register_version(tested, name, run_id=one)
    register_version(tested, "a")
    tested.client.delete_model_version("a", TWO)
    registry = tested.port.registry
    versions = rows_by_parent(await registry.versions_of_runs([none, one, one], VERSION), "name", "version")
    assert versions == [[], [("a", "3"), ("a", "1"), ("b", "1")], [("a", "3"), ("a", "1"), ("b", "1")]]


async def test_stage_is_returned_if_set(tested: StoreUnderTest) -> None:
    """A version has a stage if one was set."""
    register_model(tested, "net")
    register_version(tested, "net")
    with pytest.warns(FutureWarning):
        tested.client.transition_model_version_stage("net", ONE, "Production")
    one = await tested.port.registry.versions_by_key([VersionKey("net", "1")], frozenset({"stage"}))
    assert row_by_parent(one, "stage") == ["Production"]


async def test_aliases_have_their_versions(tested: StoreUnderTest) -> None:
    """Aliases are sorted by alias, each with its version."""
    for name in ("net", "bare"):
        register_model(tested, name)
        register_version(tested, name)
    register_version(tested, "net")
    tested.client.set_registered_model_alias("net", "old", ONE)
    tested.client.set_registered_model_alias("net", "champion", TWO)
    names = ["net", "nothing", "bare"]
    aliases = rows_by_parent(await tested.port.registry.aliases(names), "alias", "version")
    assert aliases == [[("champion", "2"), ("old", "1")], [], []]


async def test_impossible_names_are_not_found(tested: StoreUnderTest) -> None:
    """A name that no model can have is not found."""
    names = ["", "a\x00b", "a" * 2000, "a/b", "a:b", 'it\'s "both"', "é \U0001f40d", "\ud800", "../x"]
    registry = tested.port.registry
    assert (await registry.models_by_name(names, NAME)).index == [None] * len(names)
    assert (await registry.aliases(names)).rows.size == 0
    keys = [VersionKey(name, "1") for name in names]
    assert (await registry.versions_by_key(keys, NAME)).index == [None] * len(names)
    assert await registry.count_versions(names) == [0] * len(names)


async def test_invalid_version_numbers_are_refused(tested: StoreUnderTest) -> None:
    """Text that is no version number is refused; a number that is too large is not found."""
    registry = tested.port.registry
    for version in ("", "latest", "1.0", "-1", "01", " 1", "9" * 30, "1\n", "\u0661"):
        with pytest.raises(BadUserInput, match="is not a version"):
            await registry.versions_by_key([VersionKey("net", version)], NAME)
        with pytest.raises(BadUserInput, match="is not a version"):
            await registry.version_tags([VersionKey("net", version)])
    keys = [VersionKey("net", "9" * 18), VersionKey("net", "0")]
    assert (await registry.versions_by_key(keys, NAME)).index == [None, None]
