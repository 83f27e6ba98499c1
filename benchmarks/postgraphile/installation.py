"""PostGraphile's installation in the benchmarks' directory, and its process."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import Served, serving

_FILES = Path(__file__).parent
_LOCK = "package-lock.json"
_INSTALL_SECONDS = 300
_OPTIONS = """
    --schema public --host 127.0.0.1 --max-pool-size 10 --disable-query-log --disable-graphiql
    --disable-default-mutations --simple-collections only --no-setof-functions-contain-nulls
    --legacy-relations omit --append-plugins postgraphile-plugin-connection-filter
""".split()  # noqa: SIM905 - long


class UnavailableError(Exception):
    """PostGraphile cannot be installed on this machine."""


def install(directory: Path) -> Path:
    """Install the packages of the lock into the directory, once; raise UnavailableError if this fails."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        message = "node and npm are not on PATH"
        raise UnavailableError(message)
    digest = hashlib.sha256((_FILES / _LOCK).read_bytes()).hexdigest()
    folder = directory / "postgraphile"
    marker = folder / "node_modules" / ".lock-digest"
    if not marker.exists() or marker.read_text() != digest:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", _LOCK):
            shutil.copyfile(_FILES / name, folder / name)
        _run_npm(npm, folder)
        marker.write_text(digest)
    return folder


def version() -> str:
    """Return the version in the lock."""
    lock = json.loads((_FILES / _LOCK).read_text())
    return f"PostGraphile {lock['packages']['node_modules/postgraphile']['version']}"


@contextmanager
def postgraphile(folder: Path, database_uri: str, logs: Path) -> Iterator[Served]:
    """Serve a database with one process of PostGraphile, configured for production."""
    program = str(folder / "node_modules" / "postgraphile" / "cli.js")
    command = [shutil.which("node") or "node", program, "--connection", database_uri, "--port", "{port}"]
    with serving(
        "postgraphile", [*command, *_OPTIONS], "/graphql", logs, folder, {"NODE_ENV": "production"}
    ) as served:
        yield served


def _run_npm(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--no-audit", "--no-fund"]
    try:
        subprocess.run(  # noqa: S603 - npm with the packages of the lock
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"npm could not install its packages ({type(error).__name__})"
        raise UnavailableError(message) from error
