"""One query leads from an experiment to the files of its best model."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.gql_server.demo.test_spiral_model import PREDICT
from tests.support.docs_examples import examples
from tests.support.servers.server_process import running_server
from tests.support.stores.demo_store import Demo


def _files(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield from _files(entry["children"]) if entry.get("children") else [entry]


def test_download_urls_lead_to_a_working_model(demo: Demo, tmp_path: Path) -> None:
    """The download URLs in the result of docs/queries.md's query lead to a model that predicts."""
    (query,) = [example.query for example in examples("queries.md") if "loggedModels" in example.query]
    with running_server("--directory", str(demo.directory), command="demo") as server:
        result = server.query(query).json()
        (model,) = result["data"]["experiment"]["bestRun"]["loggedModels"]
        for file in _files(model["artifacts"]):
            target = tmp_path / "model" / file["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            url = urljoin(f"{server.url}/graphql", file["downloadUrl"])
            target.write_bytes(httpx.get(url).raise_for_status().content)
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "model")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.strip()) == sorted("[1, 0] [1, 0]")
