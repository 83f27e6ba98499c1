"""Tracking URIs of Azure Machine Learning workspaces, checked before the plugin reads them.

The plugin matches a URI by one case-sensitive expression, and fails with an AttributeError where it does not.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from gql_server.stores.store_config_error import StoreConfigError

_PROVIDER = "Microsoft.MachineLearningServices"
_PARTS = ("subscriptions", "resourceGroups", "providers", "workspaces")
_KNOWN = {part.lower(): part for part in (*_PARTS, _PROVIDER)}
_VALUE = re.compile(r"[\w.()\-]+")
"""Names of resource groups take the most: letters, digits, and `_ . ( ) -`."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_HINT = "`az ml workspace show --query mlflow_tracking_uri` prints it"


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a tracking URI names. `host` may have a port."""

    host: str
    subscription: str
    resource_group: str
    name: str

    @property
    def uri(self) -> str:
        """Return the tracking URI in the one form that the plugin reads."""
        return f"azureml://{self.host}/mlflow/v1.0{self.scope}"

    @property
    def scope(self) -> str:
        """Return the workspace's own path."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/{_PROVIDER}/workspaces/{self.name}"
        )


def parse_workspace(uri: str) -> Workspace:
    """Return the workspace of a tracking URI; raise `StoreConfigError` for any other text."""
    split = urlsplit(uri)
    found = dict(_pairs(split.path))
    workspace = Workspace(
        host=split.netloc if _HOST.fullmatch(split.netloc) else "<region>.api.azureml.ms",
        subscription=found.get("subscriptions", "<subscription id>"),
        resource_group=found.get("resourceGroups", "<resource group>"),
        name=found.get("workspaces", "<workspace>"),
    )
    what_is_wrong = _mistake(split, workspace)
    if what_is_wrong is not None:
        message = f"{uri[:500]!r} {what_is_wrong}; the form is {workspace.uri} ({_HINT})."
        raise StoreConfigError(message)
    return workspace


def _pairs(path: str) -> list[tuple[str, str]]:
    """Return what follows each known part of a path, whatever case the parts are in."""
    parts = path.split("/")
    return [
        (_KNOWN[part.lower()], value) for part, value in pairwise(parts) if part.lower() in _KNOWN and value
    ]


def _mistake(split: SplitResult, workspace: Workspace) -> str | None:
    if split.netloc != workspace.host:
        return "names no host"
    values = (workspace.subscription, workspace.resource_group, workspace.name)
    if any(not _VALUE.fullmatch(value) for value in values):
        return "names no subscription, resource group and workspace"
    tail = re.fullmatch(r"/mlflow/v[12]\.0(/.*?)/?", split.path)
    if tail is None:
        return "has not /mlflow/v1.0 behind the host"
    if tail[1].lower() != workspace.scope.lower():
        return "has something more, or in another order"
    return None if tail[1] == workspace.scope else "is not in the case that Azure's plugin wants"
