"""The GraphQL-over-HTTP specification, by the audits of the npm package graphql-http."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.servers.npm import install
from tests.support.servers.server_process import RunningServer

HERE = Path(__file__).parent
AUDITS = 61


@pytest.mark.timeout(900)
def test_all_audits_pass(server: RunningServer, tmp_path: Path) -> None:
    """All audits of the specification pass: MUST, SHOULD and MAY."""
    for name in ("package.json", "package-lock.json", "audit.js"):
        shutil.copy(HERE / name, tmp_path)
    install(tmp_path)
    done = subprocess.run(
        ["node", "audit.js", f"{server.url}/graphql"],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS


def test_lock_has_no_urls() -> None:
    """The lock has only versions and checksums: each machine configures where it gets packages."""
    text = (HERE / "package-lock.json").read_text()
    assert "://" not in text
    assert '"resolved"' not in text
    assert text.count('"integrity"') == len(json.loads(text)["packages"]) - 1
