"""Files that get their names when they are complete, and what killed processes leave of them."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gql_server.artifacts import unfinished_file
from gql_server.artifacts.unfinished_file import ABANDONED_SECONDS, UnfinishedFile

OTHER_PROCESS = """
import os, sys

def stop(*_arguments, **_options):
    print("ready", flush=True)
    sys.stdin.read()

def skip(*_arguments, **_options):
    pass

if sys.argv[2] == "with a name" and hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
os.replace, os.fsync = stop, skip
from gql_server.artifacts.unfinished_file import UnfinishedFile

file = UnfinishedFile(os.open(sys.argv[1], os.O_RDONLY))
file.write(b"x")
if sys.argv[2] == "replacing":
    file.publish("file")
else:
    stop()
"""
"""Begins a file in a folder, prints a line and waits, before the file is complete or before it is renamed."""
LATER = ABANDONED_SECONDS + 1
needs_files_without_a_name = pytest.mark.skipif(
    not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name"
)


@contextmanager
def other_process(folder: Path, kind: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that has begun a file in a folder, and kill it at the end."""
    command = [sys.executable, "-c", OTHER_PROCESS, str(folder), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def write(folder: Path, name: str, content: bytes = b"y") -> bool:
    """Write a file as an upload does, and return whether it is new."""
    descriptor = os.open(folder, os.O_RDONLY)
    file = UnfinishedFile(descriptor)
    try:
        file.delete_abandoned()
        file.write(content)
        return file.publish(name)
    finally:
        file.close()
        os.close(descriptor)


def hidden(folder: Path) -> list[Path]:
    """Return the hidden files of a folder."""
    return sorted(folder.glob(".*"))


def make_older(path: Path) -> None:
    """Let a file appear as if nothing had been written to it for more than an hour."""
    seconds = path.lstat().st_mtime - LATER
    os.utime(path, (seconds, seconds), follow_symlinks=False)


@pytest.mark.parametrize("kind", ["with a name", "without a name"])
def test_files_are_published_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A file is new or replaces another, has the usual permissions, and leaves no other name."""
    if kind == "with a name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    assert write(tmp_path, "file", b"first")
    assert not write(tmp_path, "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "usual"]


@needs_files_without_a_name
def test_killed_process_leaves_nothing(tmp_path: Path) -> None:
    """The file of a process that is killed before it is complete has no name, and is gone."""
    with other_process(tmp_path, "without a name"):
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["with a name", pytest.param("replacing", marks=needs_files_without_a_name)])
def test_name_of_a_killed_process_is_deleted(tmp_path: Path, kind: str) -> None:
    """A later upload deletes the hidden file of a killed process, and not that of a living one."""
    (tmp_path / "file").write_bytes(b"before")
    with other_process(tmp_path, kind):
        (living,) = hidden(tmp_path)
        with other_process(tmp_path, kind):
            (killed,) = set(hidden(tmp_path)) - {living}
        make_older(living)
        write(tmp_path, "soon after")
        assert hidden(tmp_path) == sorted([living, killed])
        make_older(killed)
        write(tmp_path, "later")
        assert hidden(tmp_path) == [living]
    assert (tmp_path / "file").read_bytes() == b"before"


def test_other_hidden_files_are_kept(tmp_path: Path) -> None:
    """MLflow's unfinished files, which it does not lock, are kept, and names that are no files."""
    (tmp_path / ".artifact.uploading.x1y2z3").write_bytes(b"")
    (tmp_path / ".artifact.uploading.gql-folder").mkdir()
    (tmp_path / ".artifact.uploading.gql-link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / ".artifact.uploading.gql-pipe")
    kept = hidden(tmp_path)
    for path in kept:
        make_older(path)
    write(tmp_path, "file")
    assert hidden(tmp_path) == kept


def test_clean_up_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean-up reads a limited number of names, and ends after a limited time."""
    for number in range(5):
        path = tmp_path / f".artifact.uploading.gql-{number}"
        path.write_bytes(b"")
        make_older(path)
    monkeypatch.setattr(unfinished_file, "_MAX_SECONDS", -1)
    write(tmp_path, "file")
    assert len(hidden(tmp_path)) == 5
    monkeypatch.setattr(unfinished_file, "_MAX_SECONDS", 60)
    monkeypatch.setattr(unfinished_file, "_MAX_ENTRIES", 3)
    (tmp_path / "file").unlink()
    write(tmp_path, "file")
    assert len(hidden(tmp_path)) == 2


def test_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without locks files are written, and none of another process is deleted."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / ".artifact.uploading.gql-1"
    path.write_bytes(b"")
    make_older(path)
    assert write(tmp_path, "file")
    assert not write(tmp_path, "file")
    assert hidden(tmp_path) == [path]
