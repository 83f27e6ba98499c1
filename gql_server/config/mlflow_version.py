"""The version of the installed MLflow, which is read without importing MLflow."""

from importlib.metadata import version
from typing import Final

MLFLOW_VERSION: Final = version("mlflow-skinny")
