"""Wheels and sdists contain the page, and a build with the page needs neither Node nor a network."""

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
from tests.support.requirements import skip_or_fail

ROOT = Path(__file__).parent.parent
_IN_PACKAGE = "gql_server/http/graphiql/built"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a copy of the sources of a build, as in a fresh clone without the page."""
    copy = tmp_path / "sources"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, copy)
    for name in ("gql_server", "schema", "frontend"):
        ignored = shutil.ignore_patterns("built", "node_modules", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    return copy


@pytest.fixture
def with_page(sources: Path) -> Path:
    """Return the copy with the page built, as after `make install`."""
    if not BUILT.is_dir():
        skip_or_fail("built page, which `make install` builds", FileNotFoundError())
    shutil.copytree(BUILT, sources / _IN_PACKAGE)
    return sources


def build(sources: Path, target: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Build like pip, without Node on the PATH."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", "out"],
        cwd=sources,
        env=os.environ | {"PATH": "/nowhere"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def single_path(folder: Path, pattern: str) -> Path:
    """Return the only path in a folder that matches a pattern."""
    (path,) = folder.glob(pattern)
    return path


def test_wheel_contains_the_page(with_page: Path) -> None:
    """A wheel has every file of the page and the licences of its packages, but none of its sources."""
    result = build(with_page, "wheel")
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(single_path(with_page / "out", "*.whl")) as wheel:
        names = set(wheel.namelist())
        licences = wheel.read(f"{_IN_PACKAGE}/LICENSES.txt").decode()
    built = {f"{_IN_PACKAGE}/{file.relative_to(BUILT)}" for file in BUILT.rglob("*") if file.is_file()}
    assert built <= names
    assert not [name for name in names if name.startswith("frontend/")]
    for package in ("graphiql", "graphql", "monaco-editor", "react", "uplot"):
        assert f"Name: {package}\n" in licences
    assert "Permission is hereby granted" in licences


def test_sdist_builds_a_wheel_without_node(with_page: Path, tmp_path: Path) -> None:
    """An sdist contains the page and its sources, and building a wheel from it needs no Node."""
    result = build(with_page, "sdist")
    assert result.returncode == 0, result.stderr
    with tarfile.open(single_path(with_page / "out", "*.tar.gz")) as sdist:
        sdist.extractall(tmp_path / "unpacked", filter="data")
    unpacked = single_path(tmp_path / "unpacked", "*")
    assert (unpacked / "frontend" / "package-lock.json").is_file()
    result = build(unpacked, "wheel")
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(single_path(unpacked / "out", "*.whl")) as wheel:
        assert f"{_IN_PACKAGE}/index.html" in wheel.namelist()


def test_build_without_node_fails(sources: Path) -> None:
    """Without Node and the page the build fails, and the error names both solutions."""
    result = build(sources, "wheel")
    assert result.returncode != 0
    assert "needs Node 20.19 or newer" in result.stderr
    assert "GQL_SKIP_FRONTEND=true" in result.stderr
    assert not list((sources / "out").glob("*.whl"))


def test_page_can_be_left_out(sources: Path) -> None:
    """With the variable the package is built without the page."""
    result = build(sources, "wheel", GQL_SKIP_FRONTEND="true")
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(single_path(sources / "out", "*.whl")) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(_IN_PACKAGE)]


def test_changed_sources_are_built_again(with_page: Path) -> None:
    """A page that was built from other sources is not used."""
    (with_page / "frontend" / "src" / "page.css").write_text("")
    assert "needs Node" in build(with_page, "wheel").stderr


def locks() -> list[Path]:
    """Return the committed npm lock files."""
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_npm_locks_contain_no_url() -> None:
    """Lock files fix packages by hash; the registry is chosen by the machine that installs them."""
    assert locks()
    for lock in locks():
        packages = json.loads(lock.read_text())["packages"]
        assert not [name for name, package in packages.items() if "resolved" in package]
        assert all("integrity" in package for name, package in packages.items() if name)
