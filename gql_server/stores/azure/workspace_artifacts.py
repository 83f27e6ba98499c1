"""The artifacts of a run in a workspace, with the interface of MLflow's artifact repositories.

The plugin's own repository uses the process-wide tracking URI for its workspace, lists files that only
start with a folder's name, returns -1 for sizes, and writes nothing if it does not support a file's
storage. This repository uses the plugin's generated client, for the workspace that it was created for.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azureml.mlflow._client.artifact._utils.blob_artifact_util import download_file
from azureml.mlflow._client.artifact.run_artifact_client import RunArtifactsClient
from mlflow.entities import FileInfo

from gql_server.stores.azure.rest_calls import error_from_response
from schema.ports.errors import BadUserInput, LimitExceeded, StoreUnavailable

_T = TypeVar("_T")
_ARTIFACT_URI = re.compile(r"azureml:.*/experiments/([^/]+)/runs/([^/]+)/artifacts(?:/(.*))?", re.DOTALL)


class WorkspaceArtifacts:
    """The artifacts below one URI; its methods block.

    `timeout` is in seconds for each response of the service. `max_artifacts` limits the artifacts of a run
    that are read: the service lists only all of them. Raises `BadUserInput` for a URI of another form.
    """

    def __init__(self, context: Any, artifact_uri: str, *, timeout: float, max_artifacts: int) -> None:
        match = _ARTIFACT_URI.fullmatch(artifact_uri)
        if match is None:
            message = "This is not an artifact URI of a run in an Azure workspace."
            raise BadUserInput(message)
        self._experiment, self._run_id, root = match.groups()
        self._root = (root or "").strip("/")
        self._context = context
        self._max_artifacts = max_artifacts
        self._options = {"retry_total": 0, "connection_timeout": timeout, "read_timeout": timeout}
        self._client = RunArtifactsClient(context, self._experiment, self._run_id, None)._client.run_artifacts  # noqa: SLF001

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the direct entries of a folder, by path; an empty list for a file or a missing folder.

        Sizes are None, because the service does not return them. Raises `LimitExceeded` if the run has more
        than `max_artifacts`.
        """
        prefix = "".join(f"{part}/" for part in (self._root, (path or "").strip("/")) if part)
        below = [each.removeprefix(prefix) for each in self._all_paths() if each.startswith(prefix)]
        entries = {name.partition("/")[0]: "/" in name for name in sorted(filter(None, below), reverse=True)}
        folder = prefix.removeprefix(f"{self._root}/") if self._root else prefix
        return [FileInfo(f"{folder}{name}", is_dir, None) for name, is_dir in sorted(entries.items())]

    def content_uri(self, path: str) -> str:
        """Return the signed URI of a file, which expires and needs no credential."""
        full_path = "/".join(part for part in (self._root, path.strip("/")) if part)
        response = _call_client(
            lambda: self._client.get_content_information(path=full_path, **self._arguments())
        )
        return str(response.content_uri)

    def download_artifacts(self, artifact_path: str, dst_path: str) -> str:
        """Write a file into a folder, and return its path; raise an error if the plugin wrote nothing."""
        name = Path(artifact_path).name
        if name in {"", ".."}:
            message = "This is not a path of an artifact."
            raise BadUserInput(message)
        target = Path(dst_path) / name
        download_file(self.content_uri(artifact_path), str(target), cloud=self._context.cloud)
        if not target.is_file():
            message = "The workspace stores this artifact where Azure's plugin cannot read it."
            raise StoreUnavailable(message)
        return str(target)

    def _all_paths(self) -> Iterator[str]:
        artifacts = iter(_call_client(lambda: self._client.list_in_container(**self._arguments())))
        for number in count():
            artifact = _call_client(lambda: next(artifacts, None))
            if artifact is None:
                return
            if number == self._max_artifacts:
                break
            yield artifact.path
        message = f"This run has more than the {self._max_artifacts:,} artifacts that this server lists."
        raise LimitExceeded(message)

    def _arguments(self) -> dict[str, Any]:
        return self._options | {
            "subscription_id": self._context.subscription_id,
            "resource_group_name": self._context.resource_group_name,
            "workspace_name": self._context.workspace_name,
            "experiment_name": self._experiment,
            "run_id": self._run_id,
        }


def _call_client(call: Callable[[], _T]) -> _T:
    """Return the result of a call to the generated client, with its errors as MLflow's."""
    try:
        return call()
    except HttpResponseError as error:
        response: Any = error.response
        raise error_from_response(response.status_code, response.body(), response.headers) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        message = "The tracking store cannot be reached."
        raise StoreUnavailable(message) from error
