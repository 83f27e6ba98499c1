"""The TTLs of cached records, and what callers, cache directives and invalidation do to them."""

from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.cache.cache_control import CacheControl
from gql_server.config.settings import Settings
from schema.ports.tracking import Page, Search, Tracking
from tests.support.app.cache_stack import TTL, CacheStack, make_stack, plain_values

ALL: Page = Page(100, None, frozenset({"run_id", "name"}))


async def _param_of(stack: CacheStack, run_id: str) -> str:
    """Read a run and its param in one operation; return the param."""
    view = stack.operation()
    await view.runs_by_id([run_id], {"name"})
    return str((await view.params([run_id], {"a"})).rows["value"][0])


@pytest.mark.parametrize(("run_id", "seconds"), [("run2", TTL.finished), ("run3", TTL.active)])
async def test_ttl_depends_on_whether_the_run_has_finished(
    stack: CacheStack, run_id: str, seconds: float
) -> None:
    """What was logged to a finished run is cached for minutes, to an active run for seconds."""
    before = await _param_of(stack, run_id)
    stack.run(run_id)["params"] = [{"key": "a", "value": "late"}]
    stack.clock.now += seconds - 0.1
    assert await _param_of(stack, run_id) == before
    stack.clock.now += 0.1
    assert await _param_of(stack, run_id) == "late"


async def test_unread_run_counts_as_active(stack: CacheStack) -> None:
    """Params of a run whose row was not read have the TTL of active runs, though the run has finished."""
    view = stack.operation()
    await view.params(["run2"], None)
    assert view.min_ttl == TTL.active


async def test_resumed_run_does_not_use_earlier_entries(stack: CacheStack) -> None:
    """After a search returns a finished run as active, entries from before are not used."""
    await _param_of(stack, "run2")
    for status, ended_at, value in (("RUNNING", None, "resumed"), ("FINISHED", 2000, "again")):
        stack.run("run2").update(status=status, ended_at=ended_at, params=[{"key": "a", "value": value}])
        stack.clock.now += TTL.active
        await stack.operation().runs([None], Search(), ALL)
        assert await _param_of(stack, "run2") == value
        (run,) = plain_values(await stack.operation().runs_by_id(["run2"], {"status"}), {"status"})
        assert run == {"status": repr(status)}


async def test_experiment_ttl(stack: CacheStack) -> None:
    """A renamed experiment is returned with its new name after ten seconds."""
    await stack.operation().experiments_by_id(["0"], {"name"})
    await stack.operation().experiment_tags(["0"], None)
    stack.store.stored[0]["name"] = "renamed"
    stack.clock.now += TTL.experiments
    (experiment,) = plain_values(await stack.operation().experiments_by_id(["0"], {"name"}), {"name"})
    assert experiment == {"name": "'renamed'"}


@pytest.mark.parametrize("cache_records", [True, False])
async def test_min_ttl_of_operation(*, cache_records: bool) -> None:
    """`min_ttl` is the shortest remaining TTL of all records read, whether or not they are cached."""
    stack = make_stack(cache_records=cache_records)
    view = stack.operation()
    assert view.min_ttl == TTL.finished
    await view.runs_by_id(["run2"], {"name"})
    await view.metrics(["run2"], None)
    await view.histories([("run2", "a")], None, None)
    assert view.min_ttl == TTL.finished
    await view.experiments_by_id(["0"], {"name"})
    assert view.min_ttl == TTL.experiments
    await view.experiments_by_name(["absent"], {"name"})
    assert view.min_ttl == TTL.active
    later = stack.operation()
    stack.clock.now += 100.0
    await later.runs_by_id(["run2"], {"name"})
    assert later.min_ttl == (TTL.finished - 100.0 if cache_records else TTL.finished)
    await later.runs([None], Search(), ALL)
    assert later.min_ttl == TTL.active


async def test_disabled_record_cache_stores_nothing() -> None:
    """Without the record cache every call goes to the store."""
    stack = make_stack(cache_records=False)
    for _ in range(2):
        await stack.operation().runs([None], Search(), ALL)
        await stack.operation().runs_by_id(["run2"], {"name"})
        await stack.operation().params(["run2"], None)
    assert set(stack.store.calls.values()) == {2}
    assert len(stack.cache.backend) == 0


# -- callers, cache control and invalidation -------------------------------------------------------------


async def test_callers_share_no_entries(stack: CacheStack) -> None:
    """A record read for one caller is not used for another, or for no caller."""
    for principal in ("one", "other", None, "one"):
        view = stack.operation(principal)
        await view.runs([None], Search(), ALL)
        await view.runs_by_id(["run2"], {"name"})
        await view.params(["run2"], None)
        await view.experiment_tags(["0"], None)
    assert set(stack.store.calls.values()) == {3}


async def test_no_cache_reads_the_store_and_updates_the_cache(stack: CacheStack) -> None:
    """With no-cache the store is read, and later operations get the new value from the cache."""
    await _param_of(stack, "run2")
    stack.run("run2")["params"] = [{"key": "a", "value": "new"}]
    assert (await stack.operation(cache_control=CacheControl.NO_CACHE).params(["run2"], {"a"})).rows[
        "value"
    ] == ["new"]
    assert (await stack.operation().params(["run2"], {"a"})).rows["value"] == ["new"]


async def test_no_store_leaves_the_cache_unchanged(stack: CacheStack) -> None:
    """With no-store nothing is stored in the cache."""
    for _ in range(2):
        await stack.operation(cache_control=CacheControl.NO_STORE).params(["run2"], None)
    await stack.operation().params(["run2"], None)
    assert stack.store.calls["params"] == 3


async def test_invalidated_run_is_read_again(stack: CacheStack) -> None:
    """After `invalidate` the run and all searches are read again, and other runs are not."""
    view = stack.operation()
    await view.runs([None], Search(), ALL)
    await view.runs_by_id(["run0", "run2"], {"name"})
    await view.params(["run0", "run2"], None)
    stack.store.calls.clear()
    stack.run("run2")["name"] = "changed"
    await stack.cached_store.invalidate(run_ids=["run2"], experiment_ids=["0"])
    pages = await stack.operation().runs([None], Search(), ALL)
    assert "changed" in pages.rows["name"]
    (run,) = plain_values(await stack.operation().runs_by_id(["run2"], {"name"}), {"name"})
    assert run == {"name": "'changed'"}
    await stack.operation().runs_by_id(["run0"], {"name"})
    assert stack.store.calls == {"runs": 1, "runs_by_id": 1}


async def test_changing_a_result_does_not_change_the_cache(stack: CacheStack) -> None:
    """A caller that changes a result does not change later results."""
    for _ in range(2):
        pages = await stack.operation().runs([None], Search(), ALL)
        params = await stack.operation().params(["run3"], None)
        assert pages.rows["run_id"][0] == "run0"
        assert len(params.rows["key"]) == 3
        pages.rows["run_id"].clear()
        params.rows["key"].clear()


async def test_failing_cache_falls_back_to_the_store(
    stack: CacheStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a backend that always raises, all results are read from the store."""

    async def fail(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(stack.cache.backend, "multi_get", fail)
    monkeypatch.setattr(stack.cache.backend, "multi_set", fail)
    for _ in range(2):
        assert await _param_of(stack, "run2") == "run2-a"
    await stack.cached_store.invalidate(run_ids=["run2"])
    assert stack.store.calls["params"] == 2


async def test_graphql_response_is_equal_over_the_cached_store(stack: CacheStack) -> None:
    """A nested query has the same response from the store, with an empty cache and with a full one."""
    query = (
        "{ runs { nodes { runId name params { key value } metrics { key value history { step value } } } } }"
    )

    async def respond(tracking: Tracking) -> bytes:
        app = create_app(Settings(tracking_uri="unused:"), tracking)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.post("/graphql", json={"query": query})).content

    expected = await respond(stack.store)
    assert b'"errors"' not in expected
    stack.store.calls.clear()
    assert await respond(stack.operation()) == expected
    calls = dict(stack.store.calls)
    assert await respond(stack.operation()) == expected
    assert dict(stack.store.calls) == calls
