"""Requests to the endpoint that Schemathesis generates from its introspection."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.servers.server_process import RunningServer

EXAMPLES = 5
"""Generated queries for each field of Query; they take some ten seconds in total."""
README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
ERRORS = README.partition("### Errors")[2].partition("###")[0]
CODES = set(re.findall(r"`([A-Z_]+)`", ERRORS)) - {"INTERNAL_SERVER_ERROR"}
"""The codes that README documents; Schemathesis treats codes other than Apollo's as server errors."""


# Schemathesis generates with Hypothesis, so `make fuzz` includes this test.
@pytest.mark.hypothesis
def test_generated_queries_cause_no_server_error(server: RunningServer, tmp_path: Path) -> None:
    """No query that fits the schema gets a status of 500 or above, or an error without a code."""
    is_fuzzing = settings.get_current_profile_name() == "fuzz"
    deterministic = [] if is_fuzzing else ["--generation-deterministic"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run", f"{server.url}/graphql",
            "--max-examples", str(EXAMPLES), "--phases", "fuzzing", *deterministic,
            "--checks", "not_a_server_error,response_schema_conformance",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert "Tested: " in done.stdout, output
    failures = dict(re.findall(r"❌ (.+): (\d+)$", done.stdout, re.MULTILINE))
    assert failures.keys() <= {"ST113 GraphQL server error"}, output
    shown = re.findall(r"^ *`(\{.*\})`$", done.stdout, re.MULTILINE)
    results: list[dict[str, Any]] = list(map(json.loads, shown))
    assert len(results) == sum(map(int, failures.values())), output
    codes = {error["extensions"]["code"] for result in results for error in result["errors"]}
    assert codes <= CODES, output
    assert not [line for line in server.printed if '"status":5' in line or "Traceback" in line]
