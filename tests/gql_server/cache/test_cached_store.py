"""The TTLs of cached records, and what callers, cache directives and invalidation do to them."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.record_origin import MixedRecordsError
from gql_server.config.settings import Settings
from schema.ports.columns import Columns
from schema.ports.tracking import Page, Search, Tracking
from tests.support.app.cache_stack import TTL, CacheStack, make_stack, plain_values

ALL: Page = Page(100, None, frozenset({"run_id", "name"}))


HISTORY_TTL: dict[str, float] = {"run2": TTL.finished, "run3": TTL.active}
"""By run; run2 has finished."""


async def _param_of(stack: CacheStack, run_id: str) -> str:
    """Read a run and its param in one operation; return the param."""
    view = stack.operation()
    await view.runs_by_id([run_id], {"name"})
    return str((await view.params([run_id], {"a"})).rows["value"][0])


async def _history_of(stack: CacheStack, run_id: str) -> CachedTracking:
    """Read a run with its metrics and a history in one operation, and return the operation."""
    view = stack.operation()
    await view.runs_by_id([run_id], {"metrics"})
    await view.histories([(run_id, "a")], None, None)
    return view


@pytest.mark.parametrize("run_id", HISTORY_TTL)
async def test_data_of_runs_is_cached_briefly(stack: CacheStack, run_id: str) -> None:
    """What was logged is cached for seconds, also if the run has finished: it can be logged late."""
    before = await _param_of(stack, run_id)
    stack.run(run_id)["params"] = [{"key": "a", "value": "late"}]
    stack.clock.now += TTL.active - 0.1
    assert await _param_of(stack, run_id) == before
    stack.clock.now += 0.1
    assert await _param_of(stack, run_id) == "late"


@pytest.mark.parametrize(("run_id", "seconds"), HISTORY_TTL.items())
async def test_history_of_finished_run_is_cached_for_minutes(
    stack: CacheStack, run_id: str, seconds: float
) -> None:
    """A history is cached for minutes if its run has finished, and for seconds otherwise."""
    await _history_of(stack, run_id)
    stack.clock.now += seconds - 0.1
    await _history_of(stack, run_id)
    assert stack.store.calls["histories"] == 1
    stack.clock.now += 0.2
    await _history_of(stack, run_id)
    assert stack.store.calls["histories"] == 2


async def test_history_without_known_last_point_is_cached_briefly(stack: CacheStack) -> None:
    """A history whose metric was not read cannot be checked later, and is cached for seconds."""
    for _ in range(2):
        await stack.operation().histories([("run2", "a")], None, None)
        stack.clock.now += TTL.active
    assert stack.store.calls["histories"] == 2


async def test_history_is_read_again_after_a_late_point(stack: CacheStack) -> None:
    """A cached history is not used if the run has another last point than when it was read."""
    await _history_of(stack, "run2")
    late = {"step": 2**62 + 1, "timestamp": 1, "value": 0.5, "non_finite": None}
    for metric in stack.run("run2")["metrics"]:
        metric.update(late, points=[*metric["points"], late])
    stack.clock.now += TTL.active
    view = await _history_of(stack, "run2")
    assert (await view.histories([("run2", "a")], None, None)).rows["value"][-1] == 0.5
    assert stack.store.calls["histories"] == 2


async def test_min_ttl_and_age_of_operation(stack: CacheStack) -> None:
    """`min_ttl` is the shortest remaining TTL of the records read, and `age` the age of the oldest one."""
    view = await _history_of(stack, "run2")
    assert (view.min_ttl, view.age) == (TTL.active, None)
    stack.clock.now += 0.5
    view = await _history_of(stack, "run2")
    assert (view.min_ttl, view.age) == (TTL.active - 0.5, 0.5)
    stack.clock.now += TTL.finished - 1.0
    view = await _history_of(stack, "run2")
    assert (view.min_ttl, view.age) == (0.5, TTL.finished - 0.5)


async def test_search_replaces_what_lookups_cached(stack: CacheStack) -> None:
    """After a search has read a run, a lookup does not return what was cached before."""
    await _param_of(stack, "run2")
    stack.run("run2")["params"] = [{"key": "a", "value": "late"}]
    await stack.operation().runs([None], Search(), ALL)
    assert await _param_of(stack, "run2") == "late"


async def test_search_with_no_store_replaces_nothing(stack: CacheStack) -> None:
    """A search with no-store does not change the cache."""
    await _param_of(stack, "run2")
    await stack.operation(cache_control=CacheControl.NO_STORE).runs([None], Search(), ALL)
    await _param_of(stack, "run2")
    assert stack.store.calls["runs_by_id"] == 1


async def test_cached_and_new_records_are_not_combined(stack: CacheStack) -> None:
    """An operation that has used a cached run and must read a search is mixed, unless it is the final one."""
    await stack.operation().runs_by_id(["run2"], {"name"})
    view = stack.cached_store.for_operation(final=False)
    await view.runs_by_id(["run2"], {"name"})
    with pytest.raises(MixedRecordsError):
        await view.runs([None], Search(), ALL)
    assert view.is_mixed
    again = stack.operation(cache_control=CacheControl.NO_CACHE)
    await again.runs_by_id(["run2"], {"name"})
    await again.runs([None], Search(), ALL)
    assert (again.is_mixed, again.age) == (False, None)
    assert stack.store.calls == {"runs_by_id": 2, "runs": 1}


async def test_operation_that_has_read_the_store_uses_no_cached_records(stack: CacheStack) -> None:
    """After the first record is read from the store, all others are, though some are cached."""
    await stack.operation().runs_by_id(["run2"], {"name"})
    view = stack.cached_store.for_operation(final=False)
    await view.count_runs([None], Search())
    await view.runs_by_id(["run2"], {"name"})
    assert stack.store.calls == {"runs_by_id": 2, "count_runs": 1}
    assert view.age is None


async def test_histories_of_one_metric_are_from_one_read(stack: CacheStack) -> None:
    """A cached history is not combined with another selection of the same metric that is read now."""
    await _history_of(stack, "run2")
    stack.clock.now += TTL.active
    view = stack.cached_store.for_operation(final=False)
    await view.runs_by_id(["run2"], {"metrics"})
    await view.histories([("run2", "a")], None, None)
    await view.histories([("run2", "b")], None, None)
    with pytest.raises(MixedRecordsError):
        await view.histories([("run2", "a")], 1, None)


async def test_run_that_changes_during_an_operation_is_noticed(stack: CacheStack) -> None:
    """If two reads of an operation return different states of a run, it is executed again."""
    view = stack.cached_store.for_operation(final=False)
    await view.runs([None], Search(), ALL)
    await view.runs_by_id(["run2"], {"name", "params"})
    stack.run("run2")["params"] = [{"key": "a", "value": "late"}]
    await view.runs_by_id(["run3"], {"name", "params"})
    with pytest.raises(MixedRecordsError):
        await view.runs_by_id(["run2"], {"params"})
    assert view.is_mixed


async def test_disabled_record_cache_reads_requested_columns_only() -> None:
    """Without the record cache the store gets the requested columns and keys, and no others."""
    stack = make_stack(cache_records=False)
    columns = Columns({"name", "params"}, {"params": frozenset({"a"})})
    await stack.cached_store.for_operation().port.runs([None], Search(), replace(ALL, columns=columns))
    await stack.cached_store.for_operation().port.runs_by_id(["run2"], columns)
    requested = [stack.store.requests[0][-1].columns, stack.store.requests[1][-1]]
    assert requested == [columns, columns]


async def test_disabled_record_cache_stores_nothing() -> None:
    """Without the record cache every call goes to the store."""
    stack = make_stack(cache_records=False)
    for _ in range(2):
        await stack.cached_store.for_operation().port.runs([None], Search(), ALL)
        await stack.cached_store.for_operation().port.runs_by_id(["run2"], {"name"})
        await stack.cached_store.for_operation().port.params(["run2"], None)
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
    assert stack.store.calls == {"runs": 1, "runs_by_id": 1}
    stack.store.calls.clear()
    await stack.operation().params(["run0"], None)
    assert not stack.store.calls


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


async def test_operation_is_executed_again_rather_than_mixed(stack: CacheStack) -> None:
    """A query whose records are not all cached reads them all; one whose records are has their age."""
    app = create_app(Settings(tracking_uri="unused:", cache_running_seconds=600.0), stack.store)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def ages(*fields: str) -> list[str | None]:
        responses = [await client.post("/graphql", json={"query": f"{{ {each} }}"}) for each in fields]
        assert all("errors" not in response.json() for response in responses)
        return [response.headers.get("age") for response in responses]

    async with client:
        run, experiments = 'run(runId: "run2") { name }', "experiments { nodes { name } }"
        assert await ages(run, f"{run} {experiments}") == [None, None]
        assert stack.store.calls == {"runs_by_id": 2, "experiments": 1}
        (age,) = await ages('run(runId: "run2") { status }')
    assert age is not None
    assert stack.store.calls == {"runs_by_id": 2, "experiments": 1}
