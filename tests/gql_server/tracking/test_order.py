"""Orders in MLflow's words: what its parser cannot be told is refused, never ordered by something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.search_utils import SearchUtils

from gql_server.tracking.mlflow_store import MlflowTracking
from gql_server.tracking.order import order_of_experiments, order_of_runs
from schema.errors import UnsupportedByStore
from schema.tracking import Order, Page, Search
from tests.stores import Store

ODD = ["a b", "a/b.c:d-e_f", "x.y ASC", "日本 é", "select", " lead", "a -- b", "DESC"]


async def test_odd_keys_are_ordered_by(store: Store) -> None:
    """A key that MLflow takes is one that it can order by, whatever is in it."""
    for number, name in enumerate(["first", "second"]):
        run = store.client.create_run("0", run_name=name)
        for key in ODD:
            store.client.log_metric(run.info.run_id, key, number)
            store.client.log_param(run.info.run_id, key, str(number))
    port = MlflowTracking(store.uri)
    for key in ODD:
        for order in (Order("metric", key), Order("param", key)):
            found = await port.runs([("0",)], Search(order=(order,)), Page(5, None, frozenset({"name"})))
            assert found.rows["name"] == ["first", "second"]
    await port.close()


@pytest.mark.parametrize("key", ["a`b", 'a"b', "'a'", "a\\\\b", "tail ", "created", "Run name"])
def test_what_cannot_be_quoted_is_refused(key: str) -> None:
    """MLflow has no escapes, and takes some names for attributes: the fault names the key."""
    with pytest.raises(UnsupportedByStore) as caught:
        order_of_runs([Order("metric", key)])
    assert repr(key) in str(caught.value)


@given(by=st.sampled_from(["metric", "param", "tag"]), key=st.text(max_size=12), descending=st.booleans())
def test_mlflow_reads_what_is_meant(by: str, key: str, descending: bool) -> None:  # noqa: FBT001
    """Whatever the key, MLflow reads back the same key, kind and direction, or the order is refused."""
    order = Order(by, key, descending)  # type: ignore[arg-type]
    try:
        [clause] = order_of_runs([order])
    except UnsupportedByStore:
        return
    kind = {"metric": "metric", "param": "parameter", "tag": "tag"}[by]
    assert SearchUtils.parse_order_by_for_search_runs(clause) == (kind, key, not descending)


def test_a_key_counts_once() -> None:
    """The same key again orders nothing more, and is left out, since MLflow refuses it."""
    keys = [Order("attribute", "name"), Order("metric", "m"), Order("attribute", "name", descending=True)]
    assert order_of_runs(keys) == ["attribute.run_name ASC", "metric.`m` ASC"]


def test_experiments_are_ordered_by_attributes_only() -> None:
    """Experiments have no metrics, and MLflow does not order them by tags."""
    assert order_of_experiments([Order("attribute", "updated_at", descending=True)]) == [
        "attribute.last_update_time DESC"
    ]
    with pytest.raises(UnsupportedByStore, match="lifecycle_stage"):
        order_of_experiments([Order("attribute", "lifecycle_stage")])
    with pytest.raises(UnsupportedByStore, match="tag 'k'"):
        order_of_experiments([Order("tag", "k")])
