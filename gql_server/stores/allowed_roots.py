"""The folders of this machine that artifacts may be in."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from mlflow.utils.file_utils import local_file_uri_to_path

_LOCAL = {"", "file"}


def is_local(uri: str) -> bool:
    """Say whether the artifacts at a URI are in a folder of whoever reads it."""
    return urlsplit(uri).scheme in _LOCAL


class AllowedRoots:
    """Some folders, separated as in PATH; empty where none is named."""

    def __init__(self, roots: str = "") -> None:
        self._folders = [Path(root).resolve() for root in roots.split(os.pathsep) if root]

    def __bool__(self) -> bool:
        """Say whether any is named."""
        return bool(self._folders)

    def hold(self, uri: str) -> bool:
        """Say whether the folder that a local URI names is one of them, or below one, links followed."""
        whole = Path(local_file_uri_to_path(uri)).resolve()
        return any(whole.is_relative_to(root) for root in self._folders)
