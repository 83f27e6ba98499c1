"""What is built carries the page, and needs neither Node nor network once the page is there."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gql_server.http.graphiql.page import BUILT
from tests.support.databases import absent

ROOT = Path(__file__).parent.parent
_IN_PACKAGE = "gql_server/http/graphiql/built"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Give a copy of what a build reads, as it is in a fresh clone: without the page."""
    copy = tmp_path / "sources"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, copy)
    for name in ("gql_server", "schema", "frontend"):
        left = shutil.ignore_patterns("built", "node_modules", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=left)
    return copy


@pytest.fixture
def with_page(sources: Path) -> Path:
    """Give the same with the page built, as after `make install`."""
    if not BUILT.is_dir():
        absent("built page: it was installed without", FileNotFoundError())
    shutil.copytree(BUILT, sources / _IN_PACKAGE)
    return sources


def build(sources: Path, target: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Build as pip would, with no Node in reach."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", "out"],
        cwd=sources,
        env=os.environ | {"PATH": "/nowhere"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def the_only(folder: Path, pattern: str) -> Path:
    """Return the one file that was built."""
    (found,) = folder.glob(pattern)
    return found


def test_wheel_carries_the_page(with_page: Path) -> None:
    """A wheel has every file of the page, with the licences of what went into it, and no sources of it."""
    done = build(with_page, "wheel")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(the_only(with_page / "out", "*.whl")) as wheel:
        names = set(wheel.namelist())
        licences = wheel.read(f"{_IN_PACKAGE}/LICENSES.txt").decode()
    built = {f"{_IN_PACKAGE}/{file.relative_to(BUILT)}" for file in BUILT.rglob("*") if file.is_file()}
    assert built <= names
    assert not [name for name in names if name.startswith("frontend/")]
    for package in ("graphiql", "graphql", "monaco-editor", "react", "uplot"):
        assert f"Name: {package}\n" in licences
    assert "Permission is hereby granted" in licences


def test_wheel_is_built_of_an_sdist_without_node(with_page: Path, tmp_path: Path) -> None:
    """An sdist has the page too, and a wheel of it needs no Node; the page's sources are there as well."""
    done = build(with_page, "sdist")
    assert done.returncode == 0, done.stderr
    with tarfile.open(the_only(with_page / "out", "*.tar.gz")) as sdist:
        sdist.extractall(tmp_path / "unpacked", filter="data")
    unpacked = the_only(tmp_path / "unpacked", "*")
    assert (unpacked / "frontend" / "package-lock.json").is_file()
    done = build(unpacked, "wheel")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(the_only(unpacked / "out", "*.whl")) as wheel:
        assert f"{_IN_PACKAGE}/index.html" in wheel.namelist()


def test_build_without_node_fails_loudly(sources: Path) -> None:
    """Where the page cannot be built, the build says what is missing and how to go on without."""
    done = build(sources, "wheel")
    assert done.returncode != 0
    assert "takes Node 20.19 or newer" in done.stderr
    assert "GQL_SKIP_FRONTEND=true" in done.stderr
    assert not list((sources / "out").glob("*.whl"))


def test_page_can_be_left_out(sources: Path) -> None:
    """With the variable set, the package is built without the page."""
    done = build(sources, "wheel", GQL_SKIP_FRONTEND="true")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(the_only(sources / "out", "*.whl")) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(_IN_PACKAGE)]


def test_changed_sources_are_built_anew(with_page: Path) -> None:
    """A page of other sources than these is not shipped."""
    (with_page / "frontend" / "src" / "page.css").write_text("")
    assert "takes Node" in build(with_page, "wheel").stderr


def locks() -> list[Path]:
    """Return the committed npm locks."""
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_npm_locks_name_no_address() -> None:
    """What is installed is fixed by hash; where it is fetched from is the installing machine's matter."""
    assert locks()
    for lock in locks():
        packages = json.loads(lock.read_text())["packages"]
        assert not [name for name, package in packages.items() if "resolved" in package]
        assert all("integrity" in package for name, package in packages.items() if name)
