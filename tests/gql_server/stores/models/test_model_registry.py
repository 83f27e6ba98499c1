"""The model registry means the same on every kind of store."""

from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersion

from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.tracking import Page
from tests.gql_server.stores.models.conftest import Held
from tests.support.model_answers import each, lists, pairs

NAME = frozenset({"name"})
# As psycopg 3 wants it: MLflow hands a version on to the database as it is given.
ONE: Any = 1
TWO: Any = 2
VERSION = frozenset({"name", "version"})
ALL = Page(100, None, NAME)


def a_model(held: Held, name: str, **given: Any) -> None:
    """Register a model without versions."""
    held.client.create_registered_model(name, **given)


def a_version(
    held: Held, name: str, source: str = "s3://bucket/net", run_id: str | None = None, **given: Any
) -> ModelVersion:
    """Register a version."""
    # A server looks at where a version comes from, and at who may say so.
    store = held.client._get_registry_client().store  # noqa: SLF001 - the client waits for it
    made: ModelVersion = store.create_model_version(name, source, run_id, **given)
    return made


async def found(held: Held, filter_: str | None = None) -> list[str]:
    """Return the names that a filter finds."""
    pages = await held.port.registry.models(filter_, ALL)
    assert await held.port.registry.count_models(filter_) == pages.rows.size
    return list(pages.rows["name"])


async def test_a_registered_model_has_the_columns_asked_for(held: Held) -> None:
    """Each leaf is what MLflow says; what has no description has none rather than an empty one."""
    a_model(held, "net", description="a net", tags={"b": "2", "a": "é"})
    a_model(held, "bare")
    columns = frozenset({"name", "description", "created_at", "updated_at"})
    registry = held.port.registry
    one = await registry.models_by_name(["bare", "nothing", "net", "NET"], columns)
    assert each(one, "name", "description") == [("bare", None), None, ("net", "a net"), None]
    mlflow = held.client.get_registered_model("net")
    assert each(one, "created_at", "updated_at")[2] == (
        mlflow.creation_timestamp,
        mlflow.last_updated_timestamp,
    )
    assert pairs(await registry.model_tags(["net", "bare", "nothing"])) == [{"a": "é", "b": "2"}, {}, {}]


async def test_a_search_means_what_mlflow_means(held: Held) -> None:
    """Whatever the filter, it finds what MLflow's own search finds, by name."""
    for name, tags in (("a", {"t": "x"}), ("B", {"t": "y", "u": "x"}), ("it's", {}), ("é", {"t": "x"})):
        a_model(held, name, tags=tags)
    assert await found(held) == ["B", "a", "it's", "é"]
    for filter_ in (
        "name = 'a'",
        "name != 'a'",
        "name LIKE '%'",
        "name LIKE 'b'",
        "name ILIKE 'b'",
        'name = "it\'s"',
        "tags.t = 'x'",
        "tags.t = 'x' AND name LIKE '_'",
        "tags.t LIKE '%' AND tags.u = 'x'",
        "tags.t != 'x'",
        "tags.`nothing` = 'x'",
    ):
        expected = held.client.search_registered_models(filter_)
        assert await found(held, filter_) == sorted(model.name for model in expected), filter_


async def test_prompts_are_no_models(held: Held) -> None:
    """A prompt is not found, looked up or listed as a model or a version, unless a filter asks for it."""
    run_id = held.client.create_run("0").info.run_id
    a_model(held, "net")
    held.client.register_prompt("ask", "Say {{it}}.")
    registry = held.port.registry
    assert await found(held) == ["net"]
    assert each(await registry.models_by_name(["ask", "net"], NAME), "name") == [None, "net"]
    assert each(await registry.versions_by_key([VersionKey("ask", "1")], VERSION), "version") == [None]
    assert lists(await registry.versions_of_runs([run_id], VERSION), "name") == [[]]
    if held.kind != "file":
        # MLflow's file store leaves them out of any search.
        assert await found(held, "tags.`mlflow.prompt.is_prompt` = 'true'") == ["ask"]


async def test_a_filter_that_is_none(held: Held) -> None:
    """What MLflow cannot read, or no store can hold, is the client's error."""
    a_model(held, "net")
    filters = ("bogus = 'a'", "name > 'a'", "name = 'a' OR name = 'b'", "name =", "name = 'a\x00'")
    for filter_ in filters:
        with pytest.raises(BadUserInput):
            await held.port.registry.models(filter_, ALL)


async def test_models_by_pages(held: Held) -> None:
    """Pages follow one another by name, and any place can be resumed from."""
    names = ["a", "b", "c", "d"]
    for name in reversed(names):
        a_model(held, name)
    registry = held.port.registry
    first = await registry.models(None, Page(3, None, NAME))
    assert (list(first.rows["name"]), list(first.has_next)) == (names[:3], [True])
    for row in range(3):
        rest = await registry.models(None, Page(10, first.position(row), NAME))
        assert (list(rest.rows["name"]), list(rest.has_next)) == (names[row + 1 :], [False])


async def test_a_version_has_the_columns_asked_for(held: Held) -> None:
    """Each leaf is what MLflow says; a run's and a logged model's id are there only where they can be ids."""
    run_id = held.client.create_run("0").info.run_id
    a_model(held, "net")
    tags = {"b": "2", "a": ""}
    model = held.client.create_logged_model("0", "made", run_id)
    model_id = model.model_id
    made = held.client.create_model_version(
        *("net", model.artifact_location, run_id),
        description="the first",
        await_creation_for=0,
        model_id=model_id,
    )
    for key, value in tags.items():
        held.client.set_model_version_tag("net", ONE, key, value)
    a_version(held, "net")
    columns = frozenset(
        {
            *("name", "version", "stage", "status", "description", "source", "created_at"),
            *("updated_at", "source_run_id", "logged_model_id"),
        }
    )
    registry = held.port.registry
    keys = [VersionKey("net", "2"), VersionKey("net", "9"), VersionKey("net", "1"), VersionKey("no", "1")]
    one = await registry.versions_by_key(keys, columns)
    names = ("version", "stage", "status", "description", "source", "source_run_id", "logged_model_id")
    assert each(one, *names) == [
        ("2", None, "READY", None, "s3://bucket/net", None, None),
        None,
        ("1", None, "READY", "the first", made.source, run_id, model_id),
        None,
    ]
    assert each(one, "created_at")[2] == made.creation_timestamp
    assert pairs(await registry.version_tags(keys)) == [{}, {}, tags, {}]


async def test_versions_of_models(held: Held) -> None:
    """Versions come model by model, the latest first; deleted ones are not there."""
    for name, count in (("one", 3), ("two", 1), ("none", 0)):
        a_model(held, name)
        for _ in range(count):
            a_version(held, name)
    held.client.delete_model_version("one", TWO)
    registry = held.port.registry
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


async def test_versions_of_runs(held: Held) -> None:
    """Versions made from a run come by name, the latest first; deleted ones and prompts are not there."""
    one, none = (held.client.create_run("0").info.run_id for _ in range(2))
    for name in ("b", "a"):
        a_model(held, name)
    for name in ("b", "a", "a", "a"):
        a_version(held, name, run_id=one)
    a_version(held, "a")
    held.client.delete_model_version("a", TWO)
    registry = held.port.registry
    made = lists(await registry.versions_of_runs([none, one, one], VERSION), "name", "version")
    assert made == [[], [("a", "3"), ("a", "1"), ("b", "1")], [("a", "3"), ("a", "1"), ("b", "1")]]


async def test_a_stage_that_was_set(held: Held) -> None:
    """A stage is shown where one was set."""
    a_model(held, "net")
    a_version(held, "net")
    with pytest.warns(FutureWarning):
        held.client.transition_model_version_stage("net", ONE, "Production")
    one = await held.port.registry.versions_by_key([VersionKey("net", "1")], frozenset({"stage"}))
    assert each(one, "stage") == ["Production"]


async def test_aliases(held: Held) -> None:
    """Aliases come by alias, with the version that each names."""
    for name in ("net", "bare"):
        a_model(held, name)
        a_version(held, name)
    a_version(held, "net")
    held.client.set_registered_model_alias("net", "old", ONE)
    held.client.set_registered_model_alias("net", "champion", TWO)
    names = ["net", "nothing", "bare"]
    aliases = lists(await held.port.registry.aliases(names), "alias", "version")
    assert aliases == [[("champion", "2"), ("old", "1")], [], []]


async def test_names_that_cannot_be(held: Held) -> None:
    """A name that no model can have is one that is not there."""
    names = ["", "a\x00b", "a" * 2000, "a/b", "a:b", 'it\'s "both"', "é \U0001f40d", "\ud800", "../x"]
    registry = held.port.registry
    assert (await registry.models_by_name(names, NAME)).index == [None] * len(names)
    assert (await registry.aliases(names)).rows.size == 0
    keys = [VersionKey(name, "1") for name in names]
    assert (await registry.versions_by_key(keys, NAME)).index == [None] * len(names)
    assert await registry.count_versions(names) == [0] * len(names)


async def test_versions_that_cannot_be(held: Held) -> None:
    """What is no number of a version is refused; one that is too large just is not there."""
    registry = held.port.registry
    for version in ("", "latest", "1.0", "-1", "01", " 1", "9" * 30, "1\n", "\u0661"):
        with pytest.raises(BadUserInput, match="is not a version"):
            await registry.versions_by_key([VersionKey("net", version)], NAME)
        with pytest.raises(BadUserInput, match="is not a version"):
            await registry.version_tags([VersionKey("net", version)])
    keys = [VersionKey("net", "9" * 18), VersionKey("net", "0")]
    assert (await registry.versions_by_key(keys, NAME)).index == [None, None]
