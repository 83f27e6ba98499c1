"""Plans: the part of a search that is pushed down excludes no row that matches."""

from collections.abc import Callable

import pytest
from mlflow.exceptions import MlflowException

from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.plan import SearchPlan, plan_experiments, plan_runs
from schema.ports.condition import AllOf, AnyOf, Condition, Not, Predicate
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.lifecycle import LifecycleView
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Order, Page, Search
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.store import Store

SERVER = capabilities_of(StoreKind.MLFLOW_SERVER)
ADAM = Predicate("param", "opt", "eq", "adam")
LOW = Predicate("metric", "loss", "lt", 0.5)
DONE = Predicate("attribute", "status", "eq", "FINISHED")


def _missing(by: str, key: str, value: bool) -> Predicate:  # noqa: FBT001
    return Predicate(by, key, "is_null", value)  # type: ignore[arg-type]


_PUSHED: list[tuple[Condition, str]] = [
    (
        AllOf((ADAM, LOW, DONE)),
        "params.opt = 'adam' AND metrics.loss < 0.5 AND attributes.status = 'FINISHED'",
    ),
    (AllOf((ADAM, AllOf((ADAM, AnyOf((LOW,)))))), "params.opt = 'adam' AND metrics.loss < 0.5"),
    (AnyOf((LOW, DONE)), ""),
    (AnyOf((AllOf((ADAM, LOW)), AllOf((DONE, ADAM)))), "params.opt = 'adam'"),
    (AnyOf(()), ""),
    (Not(ADAM), ""),
    (Not(Not(ADAM)), "params.opt = 'adam'"),
    (Not(AnyOf((Not(ADAM), Not(LOW)))), "params.opt = 'adam' AND metrics.loss < 0.5"),
    (Not(_missing("tag", "t", True)), "tags.t IS NOT NULL"),  # noqa: FBT003
    (Predicate("param", "lr", "gt", 0.1), "params.lr IS NOT NULL"),
    (Predicate("param", "lr", "in", ("a", "b")), "params.lr IS NOT NULL"),
    (Predicate("param", "lr", "in", ("a",)), "params.lr = 'a'"),
    (Predicate("tag", "a b", "ne", "it's"), 'tags.`a b` != "it\'s"'),
    (Predicate("tag", "a`b", "like", 'x"%'), 'tags."a`b" LIKE \'x"%\''),
    (Predicate("tag", "日本", "eq", "é"), "tags.`日本` = 'é'"),
    (Predicate("tag", "k", "eq", 'it\'s "x"'), "tags.k IS NOT NULL"),
    (Predicate("tag", "k", "like", "a\\%"), "tags.k IS NOT NULL"),
    (Predicate("tag", "k", "ilike", "a%"), "tags.k ILIKE 'a%'"),
    (Predicate("metric", "loss", "ne", 0.0), ""),
    (Predicate("metric", "loss", "ne", 1.0), "metrics.loss != 1.0"),
    (Predicate("metric", "loss", "gte", float("-inf")), ""),
    (Predicate("metric", "loss", "gt", 1e20), "metrics.loss > 1e20"),
    (Predicate("metric", "created", "gt", 1.0), ""),
    (_missing("metric", "loss", False), ""),  # noqa: FBT003
    (Predicate("attribute", "run_id", "in", ("a1", "b2")), "attributes.run_id IN ('a1', 'b2')"),
    (Predicate("attribute", "run_id", "not_in", ("a1",)), "attributes.run_id NOT IN ('a1')"),
    (Predicate("attribute", "run_id", "in", ("a'1", "b")), ""),
    (Predicate("attribute", "name", "like", "r%"), "attributes.run_name LIKE 'r%'"),
    (Predicate("attribute", "started_at", "gte", 5), "attributes.start_time >= 5"),
    (Predicate("attribute", "duration_seconds", "gt", 5.0), ""),
    (Predicate("attribute", "parent_run_id", "eq", "a1"), "tags.mlflow.parentRunId = 'a1'"),
    (Predicate("tag", "k", "like", "a_%"), "tags.k LIKE 'a%%'"),
    (Predicate("attribute", "name", "ilike", "_b"), "attributes.run_name ILIKE '%b'"),
    (_missing("param", "k", True), ""),  # noqa: FBT003
    (Not(_missing("tag", "k", False)), ""),  # noqa: FBT003
    (_missing("attribute", "parent_run_id", True), "tags.mlflow.parentRunId IS NULL"),  # noqa: FBT003
    (_missing("attribute", "ended_at", True), ""),  # noqa: FBT003
]


@pytest.mark.parametrize(("where", "pushed_filter"), _PUSHED)
def test_condition_is_pushed_down_to_mlflow_server(where: Condition, pushed_filter: str) -> None:
    """Keys and values are quoted so that MLflow reads them unchanged, or are not pushed down."""
    plan = plan_runs(Search(where=where), SERVER)
    assert plan.filter == pushed_filter
    assert plan.residual == where


def test_unknown_store_gets_only_basic_clauses() -> None:
    """An unknown store gets only clauses that all versions of MLflow support."""
    plan = plan_runs(Search(where=AllOf((ADAM, DONE, Predicate("tag", "t", "like", "a%")))), Capabilities())
    assert plan.filter == "params.opt = 'adam'"


def test_condition_on_experiments_is_pushed_down() -> None:
    """Names, times and tags are pushed down; ids are not, because some servers do not support them."""
    where = AllOf(
        (
            Predicate("attribute", "name", "like", "a%"),
            Predicate("attribute", "created_at", "gt", 5),
            Predicate("attribute", "experiment_id", "eq", "1"),
            Predicate("tag", "k", "ne", "v"),
        )
    )
    plan = plan_experiments(Search(filter="name != 'b'", where=where), SERVER)
    assert plan.filter == "name != 'b' AND name LIKE 'a%' AND creation_time > 5 AND tags.k != 'v'"


def test_long_condition_is_pushed_down_in_part() -> None:
    """The pushed filter is limited in length to whole clauses; this server evaluates the rest."""
    where = AllOf(tuple(Predicate("param", f"p{number}", "eq", "x" * 900) for number in range(100)))
    assert 15_000 < len(plan_runs(Search(where=where), SERVER).filter) < 25_000


@pytest.fixture
def port_over(server_store: Store) -> Callable[[int], MlflowTracking]:
    """Return a function that makes ports over a server with 30 runs, ten for each optimizer."""
    for number in range(30):
        run = server_store.client.create_run("0", start_time=1000 + number).info.run_id
        server_store.client.log_param(run, "opt", ["adam", "sgd", "lion"][number % 3])
        server_store.client.log_param(run, "n", str(number))

    def make(max_scanned: int) -> MlflowTracking:
        return MlflowTracking(server_store.uri, store_limits(max_scanned_runs=max_scanned))

    return make


PAGE = Page(4, None, frozenset({"run_id"}))
BY_N = (Order("param", "n"),)


async def test_pushdown_reduces_the_scanned_runs(port_over: Callable[[int], MlflowTracking]) -> None:
    """Runs that a pushed filter excludes are not scanned: ten runs are within a limit that thirty exceed."""
    port = port_over(10)
    result = await port.runs([("0",)], Search(where=ADAM, order=BY_N), PAGE)
    assert (result.rows.size, list(result.has_next)) == (4, [True])
    with pytest.raises(LimitExceeded, match=r"more than the 10 runs .*GQL_MAX_SCANNED_RUNS"):
        await port.runs([("0",)], Search(where=AnyOf((ADAM, LOW)), order=BY_N), PAGE)
    with pytest.raises(LimitExceeded, match="GQL_MAX_SCANNED_RUNS"):
        await port.runs([("0",)], Search(where=Predicate("param", "n", "gt", 1e6)), PAGE)
    assert await port.count_runs([("0",)], Search(where=AnyOf((ADAM, LOW)))) == [None]
    assert await port.count_runs([("0",)], Search(where=ADAM)) == [10]
    await port.close()


async def test_page_in_store_order_reads_only_what_it_needs(
    port_over: Callable[[int], MlflowTracking],
) -> None:
    """If the store's order is correct, only the rows for the page are read."""
    port = port_over(30)
    await port.runs([("0",)], Search(where=AnyOf((ADAM, Predicate("param", "opt", "eq", "sgd")))), PAGE)
    assert port.calls["search_runs"] <= 2
    await port.close()


async def test_scan_limit_applies_to_all_scopes_together(
    port_over: Callable[[int], MlflowTracking],
) -> None:
    """The scan limit applies to one call of the port, for all its scopes together."""
    port = port_over(50)
    await port.runs([("0",)], Search(order=BY_N), PAGE)
    with pytest.raises(LimitExceeded):
        await port.runs([("0",), ("0", "1")], Search(order=BY_N), PAGE)
    await port.close()


async def test_tampered_sort_key_is_refused(
    port_over: Callable[[int], MlflowTracking],
) -> None:
    """A sort key that no run can have is BAD_USER_INPUT."""
    port = port_over(50)
    for after in ([], ["x"], [[0, "a"], "x"], [[1, 5], "x"], [[True, 1], "x"], [[3, 1], "x"], [[0, 1], 5],
                  [[0, float("nan")], "x"], [[0, 1], [0, 1], "x"], [None, "x"], [{}, "x"]):  # fmt: skip
        with pytest.raises(BadUserInput):
            await port.runs([("0",)], Search(order=BY_N), Page(4, after, frozenset()))
    await port.close()


async def test_refused_filter_is_left_out(server_store: Store) -> None:
    """If an older server refuses the filter, it is left out: this server tests the rows."""
    run = server_store.client.create_run("0").info.run_id
    calls = StoreCalls(
        LazyStore(server_store.uri, create=False), 2, max_bytes=LIMITS.store.max_upstream_bytes
    )
    reader = StoreReader(calls, StoreKind.MLFLOW_SERVER, 100)

    async def find(filter_: str) -> list[str]:
        fetch = reader.runs_fetcher(["0"], SearchPlan(filter_, None, []), LifecycleView.ALL)
        return [entity.info.run_id for entity in await fetch(10, None)]

    assert await find("nothing = 1") == [run]
    assert await find("status = 'RUNNING'") == [run]
    assert await find("status = 'FAILED'") == []
    await calls.close()


def test_filter_is_parsed_for_stores_with_partial_support() -> None:
    """The supported part of the client's filter is pushed down, and this server evaluates all of it."""
    store = Capabilities(attributes=frozenset({"started_at"}), quoted_times=True, parses_filters_here=True)
    text = "metrics.loss < 1 AND start_time > 5 AND tags.k LIKE 'a%' AND status = 'FINISHED'"
    plan = plan_runs(Search(filter=text, where=ADAM), store)
    assert plan.filter == "metrics.loss < 1.0 AND attributes.start_time > '5' AND params.opt = 'adam'"
    for invalid in ("params.x > '1'", "status IN ('a')", "a OR b", "'", "x" * 30_000):
        with pytest.raises((MlflowException, BadUserInput)):
            plan_runs(Search(filter=invalid), store)
