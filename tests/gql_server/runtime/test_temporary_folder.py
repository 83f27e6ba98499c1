"""The folder for temporary files of a process."""

import errno
import fcntl
import shutil
from pathlib import Path

import pytest

from gql_server.runtime import temporary_folder
from gql_server.runtime.temporary_folder import (
    PREFIX,
    delete_abandoned_folders,
    delete_unused_folders,
    new_temporary_folder,
    shared_temporary_folder,
    use_shared_folder,
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_unused_folders_are_deleted(root: Path) -> None:
    """The folder of the process is deleted if nothing is in it, and created again when it is needed."""
    first, second = new_temporary_folder("a"), new_temporary_folder("b")
    assert first.parent == second.parent
    assert first.parent.parent == root
    first.rmdir()
    delete_unused_folders()
    assert second.exists()
    second.rmdir()
    delete_unused_folders()
    assert list(root.iterdir()) == []
    new_temporary_folder("a").rmdir()
    delete_unused_folders()
    assert list(root.iterdir()) == []


def test_deleted_folder_is_created_again(root: Path) -> None:
    """If another program cleans the temporary directory, later files have a new folder."""
    shutil.rmtree(new_temporary_folder("a").parent)
    later = new_temporary_folder("a")
    assert later.exists()
    later.rmdir()
    delete_unused_folders()
    assert list(root.iterdir()) == []


def test_file_system_without_locks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without locks there are temporary files, and none of another process is deleted."""
    other = root / f"{PREFIX}other"
    other.mkdir()

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    folder = new_temporary_folder("a")
    assert folder.exists()
    folder.rmdir()
    delete_unused_folders()
    assert list(root.iterdir()) == [other]


def test_shared_folder_is_kept_while_a_process_uses_it(root: Path) -> None:
    """A clean-up keeps a shared folder while one process uses it, and the end deletes it."""
    with shared_temporary_folder("a") as folder:
        use_shared_folder(folder)
        (folder / "file").touch()
        delete_abandoned_folders().join(60)
        assert list(root.iterdir()) == [folder]
    assert list(root.iterdir()) == []


def test_clean_up_is_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean-up reads a limited number of names, and begins nothing after a limited time."""
    for number in range(5):
        (root / f"{PREFIX}{number}").mkdir()
    monkeypatch.setattr(temporary_folder, "_MAX_SECONDS", -1)
    delete_abandoned_folders().join(60)
    assert len(list(root.iterdir())) == 5
    monkeypatch.setattr(temporary_folder, "_MAX_SECONDS", 60)
    monkeypatch.setattr(temporary_folder, "_MAX_ENTRIES", 3)
    delete_abandoned_folders().join(60)
    assert len(list(root.iterdir())) == 2
