"""The marker `azure` is on each test that needs the plugin, and such a test is not lost without it."""

from importlib.metadata import PackageNotFoundError

import pytest

from tests.support.azure import marker
from tests.support.azure.emulator import Emulator


@pytest.mark.parametrize("kind", ["sqlite", "azure"])
def test_parameter_sets_the_marker(request: pytest.FixtureRequest, kind: str) -> None:
    """A test with the parameter `azure`, such as one on all stores, has the marker; the others do not."""
    assert bool(request.node.get_closest_marker("azure")) == (kind == "azure")


def test_fixture_sets_the_marker(request: pytest.FixtureRequest, azure: Emulator) -> None:
    """A test that uses the emulator has the marker."""
    assert azure.host
    assert request.node.get_closest_marker("azure")


@pytest.mark.parametrize(
    ("variable", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_missing_plugin(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    outcome: type[BaseException],
) -> None:
    """Without the plugin a test of Azure is skipped, and fails in CI; other tests run."""

    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(marker, "version", version)
    monkeypatch.setenv("CI", variable)
    marker.require_plugin(request.node)
    request.node.add_marker(pytest.mark.azure)
    with pytest.raises(outcome, match="azureml-mlflow, which `make test-azure` installs"):
        marker.require_plugin(request.node)
