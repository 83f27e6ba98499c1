"""Files being uploaded: concurrent changes of folders, and full disks."""

import os
from pathlib import Path

import pytest

from gql_server.artifacts import incoming_file
from gql_server.artifacts.incoming_file import LocalIncomingFile, SpooledIncomingFile
from schema.ports.errors import BadUserInput, StoreUnavailable


def test_folder_with_another_file_survives_discard(tmp_path: Path) -> None:
    """A folder that an aborted upload created is not deleted if it has another file."""
    aborted, complete = (
        LocalIncomingFile(tmp_path / "root", ["a", name]) for name in ("aborted", "complete")
    )
    aborted.write(b"x")
    complete.write(b"y")
    assert complete.commit()
    aborted.discard()
    assert [path.name for path in (tmp_path / "root" / "a").iterdir()] == ["complete"]
    with pytest.raises(BadUserInput):
        LocalIncomingFile(tmp_path / "root", ["a", "complete", "below"])


def test_folder_of_an_aborted_upload_is_created_again(tmp_path: Path) -> None:
    """A folder that an aborted upload removes, while another writes a file for it, is there again."""
    aborted, complete = (LocalIncomingFile(tmp_path / "root", ["a", "b", name]) for name in ("aborted", "x"))
    complete.write(b"y")
    aborted.discard()
    assert complete.commit()
    assert (tmp_path / "root" / "a" / "b" / "x").read_bytes() == b"y"
    assert [path.name for path in (tmp_path / "root" / "a" / "b").iterdir()] == ["x"]


def test_folder_deleted_during_open_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload whose folder is deleted by another, aborted upload fails, and succeeds when retried."""
    aborted = LocalIncomingFile(tmp_path / "root", ["a", "aborted"])
    mkdir = os.mkdir

    def mkdir_after_discard(path: str, *arguments: int, **options: int) -> None:
        try:
            mkdir(path, *arguments, **options)
        except FileExistsError:
            aborted.discard()
            raise

    monkeypatch.setattr(os, "mkdir", mkdir_after_discard)
    with pytest.raises(StoreUnavailable):
        LocalIncomingFile(tmp_path / "root", ["a", "complete"])
    LocalIncomingFile(tmp_path / "root", ["a", "complete"]).discard()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_at_commit_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last bytes do not fit on the disk, the upload fails, and the repository gets nothing."""
    folder = tmp_path / "received"
    folder.mkdir()
    (folder / "a").symlink_to("/dev/full")
    monkeypatch.setattr(incoming_file, "new_temporary_folder", lambda _: folder)
    file = SpooledIncomingFile(None, ["a"])
    file.write(b"x")
    with pytest.raises(StoreUnavailable, match="disk space"):
        file.commit()
    file.discard()
    assert not folder.exists()
