"""Tracking URIs of Azure Machine Learning workspaces, validated before the plugin parses them.

The plugin matches a URI with one case-sensitive expression, and raises an AttributeError if it does not
match.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from gql_server.stores.store_config_error import StoreConfigError

_PROVIDER = "Microsoft.MachineLearningServices"
_SEGMENT_NAMES = ("subscriptions", "resourceGroups", "providers", "workspaces")
_SEGMENTS = {segment.lower(): segment for segment in (*_SEGMENT_NAMES, _PROVIDER)}
_NAME = re.compile(r"[\w.()\-]+")
"""The characters of resource group names; the other names use a subset."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_HINT = "`az ml workspace show --query mlflow_tracking_uri` prints it"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace that a tracking URI names; `host` may include a port."""

    host: str
    subscription: str
    resource_group: str
    name: str

    @property
    def uri(self) -> str:
        """Return the tracking URI in the form that the plugin accepts."""
        return f"azureml://{self.host}/mlflow/v1.0{self.scope}"

    @property
    def scope(self) -> str:
        """Return the path of the workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/{_PROVIDER}/workspaces/{self.name}"
        )


def parse_workspace(uri: str) -> Workspace:
    """Return the workspace of a tracking URI; raise `StoreConfigError` for an invalid one."""
    split = urlsplit(uri)
    names = dict(_names_by_segment(split.path))
    workspace = Workspace(
        host=split.netloc if _HOST.fullmatch(split.netloc) else "<region>.api.azureml.ms",
        subscription=names.get("subscriptions", "<subscription id>"),
        resource_group=names.get("resourceGroups", "<resource group>"),
        name=names.get("workspaces", "<workspace>"),
    )
    problem = _problem(split, workspace)
    if problem is not None:
        message = f"{uri[:500]!r} {problem}; the form is {workspace.uri} ({_HINT})."
        raise StoreConfigError(message)
    return workspace


def _names_by_segment(path: str) -> list[tuple[str, str]]:
    """Return the name after each known segment of a path, ignoring the case of segments."""
    segments = path.split("/")
    return [
        (_SEGMENTS[segment.lower()], name)
        for segment, name in pairwise(segments)
        if segment.lower() in _SEGMENTS and name
    ]


def _problem(split: SplitResult, workspace: Workspace) -> str | None:
    if split.netloc != workspace.host:
        return "names no host"
    names = (workspace.subscription, workspace.resource_group, workspace.name)
    if any(not _NAME.fullmatch(name) for name in names):
        return "names no subscription, resource group and workspace"
    tail = re.fullmatch(r"/mlflow/v[12]\.0(/.*?)/?", split.path)
    if tail is None:
        return "lacks /mlflow/v1.0 after the host"
    if tail[1].lower() != workspace.scope.lower():
        return "has something more, or another order"
    return None if tail[1] == workspace.scope else "is not in the case that Azure's plugin requires"
