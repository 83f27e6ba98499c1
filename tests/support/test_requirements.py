"""A missing requirement skips a test on a developer's machine and fails it in CI."""

import pytest
from sqlalchemy.engine import make_url

from tests.support.requirements import skip_or_fail
from tests.support.servers.free_ports import free_port
from tests.support.stores.databases import require_database_server


def test_missing_requirement_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside CI the test is skipped, and the reason names the requirement."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^missing requirement: Chromium \(FileNotFoundError\)$"):
        skip_or_fail("Chromium", FileNotFoundError())


def test_missing_requirement_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI the test fails, and the reason names the requirement."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(
        pytest.fail.Exception, match=r"^missing requirement: Chromium .*; no test is skipped in CI$"
    ):
        skip_or_fail("Chromium", FileNotFoundError())


@pytest.mark.parametrize("driver", ["postgresql", "mysql+pymysql"])
def test_missing_database_server_skips_the_test(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the kind and the address of the database server."""
    monkeypatch.delenv("CI", raising=False)
    port = free_port()
    kind = driver.partition("+")[0]
    with pytest.raises(pytest.skip.Exception, match=f"requirement: {kind} server at 127.0.0.1:{port} "):
        require_database_server(make_url(f"{driver}://root@127.0.0.1:{port}/database"))
