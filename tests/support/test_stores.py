"""The fixtures of `tests.conftest`: each store is real, empty and of one kind."""

import pytest
import redis

from tests.support.stores import Store


@pytest.mark.parametrize("name", ["first", "second"])
def test_each_test_gets_an_empty_store(store: Store, name: str) -> None:
    """What one test writes, the next one does not see."""
    assert [found.name for found in store.client.search_experiments()] == ["Default"]
    run = store.client.create_run(store.client.create_experiment(name))
    store.client.log_metric(run.info.run_id, "loss", 0.5)
    assert store.client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


@pytest.mark.parametrize("name", ["first", "second"])
def test_mysql_is_empty_too(mysql_store: Store, name: str) -> None:
    """MySQL's one database is wiped between tests."""
    assert [found.name for found in mysql_store.client.search_experiments()] == ["Default"]
    mysql_store.client.create_experiment(name)


def test_redis_is_empty(redis_url: str) -> None:
    """A Redis database that holds somebody's keys is not taken."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
