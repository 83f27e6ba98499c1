"""The marker `azure` of the tests that need MLflow's plugin for Azure, which allows no newer MLflow.

`make test` runs them in an environment of their own.
"""

from importlib.metadata import PackageNotFoundError, version

import pytest

from tests.support.requirements import skip_or_fail


def mark_azure_tests(items: list[pytest.Item]) -> None:
    """Mark each test that uses the emulated workspace, itself or by its parameter `azure`."""
    for item in items:
        if isinstance(item, pytest.Function) and _uses_workspace(item):
            item.add_marker(pytest.mark.azure)


def require_plugin(item: pytest.Item) -> None:
    """Skip a marked test where the plugin is not installed; fail it in CI."""
    if item.get_closest_marker("azure"):
        try:
            version("azureml-mlflow")
        except PackageNotFoundError as error:
            skip_or_fail("azureml-mlflow, which `make test-azure` installs", error)


def _uses_workspace(item: pytest.Function) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "azure_service" in item.fixturenames or "azure" in parameters
