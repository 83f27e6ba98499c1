"""The folders of this machine in which artifacts may be."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

_LOCAL = {"", "file"}


def is_local(uri: str) -> bool:
    """Return whether a URI names a folder of the machine that reads it."""
    return urlsplit(uri).scheme in _LOCAL


def local_path(uri: str) -> Path:
    """Return the path that a local URI names, as MLflow reads it."""
    return Path(url2pathname(urlsplit(uri).path if uri.startswith("file:") else uri))


class AllowedRoots:
    """A list of folders, separated as in PATH; it may be empty."""

    def __init__(self, roots: str = "") -> None:
        self._folders = [Path(root).resolve() for root in roots.split(os.pathsep) if root]

    def __bool__(self) -> bool:
        """Return whether the list has folders."""
        return bool(self._folders)

    def contain(self, uri: str) -> bool:
        """Return whether a local URI names one of the folders or one below, with links resolved."""
        path = local_path(uri).resolve()
        return any(path.is_relative_to(root) for root in self._folders)
