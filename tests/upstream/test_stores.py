"""Stores of real versions of MLflow are read as their own client reads them, and stay as they are."""

from pathlib import Path

import pytest

from tests.upstream.battery import server_facts, wrong_answers
from tests.upstream.mutations import WRITTEN, mutate
from tests.upstream.stores import contents, filled_store
from tests.upstream.versions import DIFFERENCES, TESTED, UNSUPPORTED_MUTATIONS, Version


@pytest.mark.parametrize(("version", "kind"), TESTED, ids=str)
async def test_store(version: Version, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer is the client's. A SQLite file keeps every byte, and no file appears beside it.

    An `mlflow server` of the version takes changes.
    """
    folder, artifacts = tmp_path / "store", tmp_path / "client" / "artifacts"
    for each in (folder, artifacts.parent):
        each.mkdir()
    monkeypatch.chdir(folder)
    with filled_store(version.number, kind, folder, artifacts) as (uri, answers):
        before = contents(folder)
        wrong = await wrong_answers(uri, answers, artifact_roots=str(artifacts))
        known = DIFFERENCES.get((version.number, kind), set())
        assert {name: wrong[name] for name in wrong.keys() - known} == {}
        assert wrong.keys() == known
        revision = None if kind == "server" else version.revision
        assert await server_facts(uri) == (revision, {*version.features, "ARTIFACTS"})
        assert contents(folder) == before
        if kind == "server":
            failed = UNSUPPORTED_MUTATIONS.get(version.number, set())
            assert await mutate(uri) == (dict.fromkeys(failed, "UNSUPPORTED_BY_STORE"), WRITTEN)
