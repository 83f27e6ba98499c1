"""The artifacts of a run in a workspace, in the form of MLflow's repositories.

The plugin's own repository takes the process-wide tracking URI for its workspace, lists what only begins with
a folder's name, has -1 for sizes, and writes nothing where it does not know the address of a file. This one
asks with the plugin's generated client, of the workspace that it was made for.
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

from gql_server.stores.azure.rest_calls import error_of
from schema.ports.errors import BadUserInput, LimitExceeded, StoreUnavailable

_T = TypeVar("_T")
_URI = re.compile(r"azureml:.*/experiments/([^/]+)/runs/([^/]+)/artifacts(?:/(.*))?")


class WorkspaceArtifacts:
    """The artifacts below one URI; its methods block.

    `timeout` is in seconds for each answer of the service, `most` is how many artifacts of a run are gone
    through: the service lists none but all. Raises `BadUserInput` for a URI of another form.
    """

    def __init__(self, context: Any, artifact_uri: str, *, timeout: float, most: int) -> None:
        found = _URI.fullmatch(artifact_uri)
        if found is None:
            message = "This is no artifact URI of a run in an Azure workspace."
            raise BadUserInput(message)
        self._experiment, self._run_id, root = found.groups()
        self._root = (root or "").strip("/")
        self._context = context
        self._most = most
        self._options = {"retry_total": 0, "connection_timeout": timeout, "read_timeout": timeout}
        self._client = RunArtifactsClient(context, self._experiment, self._run_id, None)._client.run_artifacts  # noqa: SLF001

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return what is directly in a folder, by path; of a file, or of nothing, nothing.

        Sizes are None: the service does not tell them. Raises `LimitExceeded` where the run has more
        artifacts than are gone through.
        """
        start = "".join(f"{part}/" for part in (self._root, (path or "").strip("/")) if part)
        below = [one.removeprefix(start) for one in self._every() if one.startswith(start)]
        directly = {name.partition("/")[0]: "/" in name for name in sorted(filter(None, below), reverse=True)}
        shown = start.removeprefix(f"{self._root}/") if self._root else start
        return [FileInfo(f"{shown}{name}", is_dir, None) for name, is_dir in sorted(directly.items())]

    def content_uri(self, path: str) -> str:
        """Return the signed address of a file, which holds for a while and needs no credential."""
        whole = "/".join(part for part in (self._root, path.strip("/")) if part)
        answer = _asked(lambda: self._client.get_content_information(path=whole, **self._place()))
        return str(answer.content_uri)

    def download_artifacts(self, artifact_path: str, dst_path: str) -> str:
        """Write a file into a folder, and return its path; raise where the plugin wrote nothing."""
        name = Path(artifact_path).name
        if name in {"", ".."}:
            message = "This is no path of an artifact."
            raise BadUserInput(message)
        target = Path(dst_path) / name
        download_file(self.content_uri(artifact_path), str(target), cloud=self._context.cloud)
        if not target.is_file():
            message = "The workspace keeps this artifact where Azure's plugin cannot read it."
            raise StoreUnavailable(message)
        return str(target)

    def _every(self) -> Iterator[str]:
        listed = iter(_asked(lambda: self._client.list_in_container(**self._place())))
        for number in count():
            artifact = _asked(lambda: next(listed, None))
            if artifact is None:
                return
            if number == self._most:
                break
            yield artifact.path
        message = f"This run has more than the {self._most:,} artifacts that this server goes through."
        raise LimitExceeded(message)

    def _place(self) -> dict[str, Any]:
        return self._options | {
            "subscription_id": self._context.subscription_id,
            "resource_group_name": self._context.resource_group_name,
            "workspace_name": self._context.workspace_name,
            "experiment_name": self._experiment,
            "run_id": self._run_id,
        }


def _asked(ask: Callable[[], _T]) -> _T:
    """Return what the generated client returns, with its errors in MLflow's form."""
    try:
        return ask()
    except HttpResponseError as error:
        response: Any = error.response
        raise error_of(response.status_code, response.body(), response.headers) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        message = "The tracking store cannot be reached."
        raise StoreUnavailable(message) from error
