"""The destinations of uploads that the access policy allows."""

import os
from pathlib import Path

import pytest

from gql_server.artifacts.access_policy import AccessPolicy
from gql_server.artifacts.upload_targets import UploadTargets
from schema.ports.errors import UnsupportedByStore


@pytest.mark.parametrize(
    ("store_uri", "uri"),
    [
        ("http://127.0.0.1:5000", "/etc"),
        ("http://127.0.0.1:5000", "file:///etc"),
        ("http://127.0.0.1:5000", "mlflow-artifacts://elsewhere/1"),
        ("http://127.0.0.1:5000", "http://elsewhere/api"),
        ("sqlite:///x.db", "mlflow-artifacts:/1"),
        ("sqlite:///x.db", "https://elsewhere/api"),
        ("sqlite:///x.db", "runs:/1/a"),
        ("sqlite:///x.db", "models:/a/1"),
        ("sqlite:///x.db", "nonsense://a"),
    ],
)
def test_location_outside_the_policy_is_refused(store_uri: str, uri: str) -> None:
    """A server's store cannot name a local folder, and no other server gets this server's credentials."""
    with pytest.raises(UnsupportedByStore):
        UploadTargets(AccessPolicy(store_uri, "", "")).open(uri, ["a"])


def test_local_folder_must_be_below_a_root(tmp_path: Path) -> None:
    """With roots, local folders are written only below one of them, for every kind of store."""
    roots = f"/nowhere{os.pathsep}{tmp_path / 'root'}"
    targets = UploadTargets(AccessPolicy("http://127.0.0.1:5000", "", roots))
    targets.open((tmp_path / "root" / "run").as_uri(), ["a"]).discard()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    for path in (tmp_path / "other", tmp_path / "root" / "link"):
        with pytest.raises(UnsupportedByStore):
            targets.open(str(path), ["a"])
