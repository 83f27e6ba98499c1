"""A repository of artifacts that behaves like those of cloud storage, and a run in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import FileInfo
from mlflow.store.artifact import artifact_repository_registry as registry
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from gql_server.runtime.temporary_folder import delete_unused_folders
from tests.support.app.artifact_owners import ArtifactOwner
from tests.support.stores.store import Store


class CloudRepository(ArtifactRepository):
    """A repository like those of cloud storage: files are downloaded whole, and sizes may be unknown."""

    failure: Exception | None = None
    sizes = True
    silent = False

    def _folder(self) -> Path:
        return Path(self.artifact_uri.removeprefix("cloud:"))

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Do nothing: tests write into the folder."""

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Do nothing."""

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return all paths with this prefix, as the plugin for Azure does."""
        if self.failure:
            raise self.failure
        paths = sorted(entry for entry in self._folder().rglob("*"))
        names = [(entry, entry.relative_to(self._folder()).as_posix()) for entry in paths]
        return [
            FileInfo(name, entry.is_dir(), entry.stat().st_size if self.sizes else -1)
            for entry, name in names
            if name.startswith(path or "")
        ]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        if self.failure:
            raise self.failure
        if not self.silent:
            shutil.copy(self._folder() / remote_file_path, local_path)

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """Copy a file."""
        target = Path(dst_path or "", artifact_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._download_file(artifact_path, str(target))
        return str(target)


@pytest.fixture
def remote(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ArtifactOwner, type[CloudRepository]]]:
    """Give a run with artifacts in a cloud repository, and the class of the repository to configure it."""
    repository = type("ConfiguredRepository", (CloudRepository,), {})
    known = registry._artifact_repository_registry._registry  # noqa: SLF001 - where plugins register
    monkeypatch.setitem(known, "cloud", repository)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()
    experiment = sqlite_store.client.create_experiment("cloud", f"cloud:{tmp_path}/remote")
    info = sqlite_store.client.create_run(experiment).info
    folder = Path(info.artifact_uri.removeprefix("cloud:"))
    folder.mkdir(parents=True)
    yield ArtifactOwner(info.run_id, folder, f"/artifacts/{info.run_id}"), repository
    delete_unused_folders()
    assert list((tmp_path / "spool").iterdir()) == []
