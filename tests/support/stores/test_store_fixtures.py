"""The store fixtures of `tests.conftest`: each test gets an empty store."""

import pytest
import redis
import requests

from tests.support.stores.store import Store


@pytest.mark.parametrize("name", ["first", "second"])
def test_each_test_gets_an_empty_store(store: Store, name: str) -> None:
    """Data that one test writes is not visible in the next."""
    assert [experiment.name for experiment in store.client.search_experiments()] == ["Default"]
    run = store.client.create_run(store.client.create_experiment(name))
    store.client.log_metric(run.info.run_id, "loss", 0.5)
    assert store.client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


@pytest.mark.parametrize("name", ["first", "second"])
def test_mysql_store_is_empty(mysql_store: Store, name: str) -> None:
    """The MySQL database is emptied between tests."""
    assert [experiment.name for experiment in mysql_store.client.search_experiments()] == ["Default"]
    mysql_store.client.create_experiment(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_servers_bypass_the_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Requests to servers of the tests do not use the machine's proxy."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert requests.utils.get_environ_proxies(f"http://{host}:5000") == {}
    assert requests.utils.get_environ_proxies("http://other.example")["http"] == "http://proxy.example:3128"


def test_redis_is_empty(redis_url: str) -> None:
    """The Redis database has no keys of other tests or users."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
