"""The names that this server has of MLflow's are those of the installed MLflow."""

import mlflow
import pytest
from mlflow.entities import LoggedModelStatus
from mlflow.entities.model_registry import model_version_stages as stages
from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES, MLFLOW_TRACKING_URI
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.utils import mlflow_tags
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.mime_type_utils import get_text_extensions
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME

from gql_server.artifacts.media_type import TEXT_NAMES
from gql_server.config.mlflow_version import MLFLOW_VERSION
from gql_server.config.store import TRACKING_URI_VARIABLE
from gql_server.stores import mlflow_names
from gql_server.stores.allowed_roots import local_path


def test_names_are_mlflows() -> None:
    """Tags, stages, statuses and variables have the same names."""
    assert mlflow_names.RUN_NAME_TAG == mlflow_tags.MLFLOW_RUN_NAME
    assert mlflow_names.DATASET_CONTEXT_TAG == mlflow_tags.MLFLOW_DATASET_CONTEXT
    assert mlflow_names.PROMPT_TAG == IS_PROMPT_TAG_KEY
    assert mlflow_names.NO_STAGE == stages.STAGE_NONE
    assert mlflow_names.DELETED_STAGE == stages.STAGE_DELETED_INTERNAL
    assert mlflow_names.DEFAULT_WORKSPACE == DEFAULT_WORKSPACE_NAME
    assert {each.to_int(): each.value for each in LoggedModelStatus} == mlflow_names.LOGGED_MODEL_STATUSES
    assert MLFLOW_TRACKING_URI.name == TRACKING_URI_VARIABLE
    assert MLFLOW_ENABLE_WORKSPACES.name == mlflow_names.WORKSPACES_VARIABLE
    assert set(get_text_extensions()) <= TEXT_NAMES
    assert mlflow.__version__ == MLFLOW_VERSION


@pytest.mark.parametrize(
    "uri", ["/a b/c", "relative/d", "file:///a%20b/c%23d", "file:/x", "file://host/x", "/a%20b"]
)
def test_local_uris_name_the_paths_of_mlflow(uri: str) -> None:
    """A URI names the same folder as for MLflow."""
    assert str(local_path(uri)) == local_file_uri_to_path(uri)
