"""Orders of runs in MLflow's syntax, and orders that its parser cannot express."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.search_utils import SearchUtils

from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.order_pushdown import experiment_order_by, run_order_by
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Order, Page, Search
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

ODD = ["a b", "a/b.c:d-e_f", "x.y ASC", "日本 é", "select", " lead", "a -- b", "DESC", "tail ", "created"]
SERVER = capabilities_of(StoreKind.MLFLOW_SERVER)


async def test_any_key_can_be_ordered_by(store: Store) -> None:
    """Runs can be ordered by any key that MLflow accepts, with any characters."""
    for number, name in enumerate(["first", "second"]):
        run = store.client.create_run("0", run_name=name)
        for key in ODD:
            store.client.log_metric(run.info.run_id, key, number)
            store.client.log_param(run.info.run_id, key, str(number))
    port = MlflowTracking(store.uri, LIMITS.store)
    for key in ODD:
        for order in (Order("metric", key), Order("param", key)):
            result = await port.runs([("0",)], Search(order=(order,)), Page(5, None, frozenset({"name"})))
            assert result.rows["name"] == ["first", "second"]
    await port.close()


@pytest.mark.parametrize("key", ["a`b", 'a"b', "'a'", "a\\\\b", "tail ", "created", "Run name"])
def test_unquotable_keys_are_not_pushed_down(key: str) -> None:
    """MLflow has no escapes and takes some keys for attributes: these are ordered by this server."""
    assert run_order_by([Order("metric", key)], SERVER) is None


@given(key=st.text(max_size=12), descending=st.booleans())
def test_mlflow_parses_the_order_that_is_sent(key: str, descending: bool) -> None:  # noqa: FBT001
    """MLflow parses the same key, kind and direction, or the order is not sent."""
    order = run_order_by([Order("metric", key, descending)], SERVER)
    if order is not None:
        (clause, tie) = order
        assert SearchUtils.parse_order_by_for_search_runs(clause) == ("metric", key, not descending)
        assert tie == "attributes.run_id ASC"


def test_redundant_keys_are_dropped() -> None:
    """A repeated key and keys after the id are dropped: MLflow refuses a repeated key."""
    keys = [
        Order("attribute", "status"),
        Order("metric", "m"),
        Order("attribute", "status", descending=True),
        Order("attribute", "run_id", descending=True),
        Order("metric", "n"),
    ]
    expected = ["attributes.status ASC", "metrics.`m` ASC", "attributes.run_id DESC"]
    assert run_order_by(keys, SERVER) == expected


def test_missing_start_is_not_pushed_down_ascending() -> None:
    """A store sorts a missing start first in ascending order, so that it is not sent as the first key."""
    ascending, descending = (
        Order("attribute", "started_at"),
        Order("attribute", "started_at", descending=True),
    )
    status = Order("attribute", "status")
    assert run_order_by([ascending], SERVER) == ["attributes.start_time ASC", "attributes.run_id ASC"]
    assert run_order_by([status, ascending], SERVER) is None
    assert run_order_by([status, descending], SERVER) is not None


@pytest.mark.parametrize("by", ["param", "tag"])
def test_text_is_sorted_by_this_server(by: str) -> None:
    """A store sorts numbers in text as text, and text by its own collation."""
    assert run_order_by([Order(by, "k")], SERVER) is None  # type: ignore[arg-type]
    assert run_order_by([Order("attribute", "name")], SERVER) is None
    assert experiment_order_by([Order("attribute", "name")], SERVER) is None


def test_experiment_order_is_pushed_down_if_supported() -> None:
    """The store sorts experiments by time; for an unknown kind of store only the default order is sent."""
    newest = [Order("attribute", "updated_at", descending=True)]
    assert experiment_order_by(newest, SERVER) == ["last_update_time DESC", "experiment_id ASC"]
    assert experiment_order_by(newest, Capabilities()) is None
    assert experiment_order_by([], Capabilities()) == run_order_by([], Capabilities()) == []
