"""Databases of all versions are read from their dumps, without their MLflow."""

from pathlib import Path

import pytest

from tests.support.stores.store import sqlite_uri
from tests.upstream.battery import server_facts, wrong_answers
from tests.upstream.dump import load, load_answers, sql_file
from tests.upstream.stores import contents
from tests.upstream.versions import VERSIONS, Version

_MAX_BYTES = 60_000
"""The repository keeps every dump."""


@pytest.mark.parametrize("version", VERSIONS, ids=str)
async def test_dump(version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer is the client's, and no byte of the file and nothing beside it changes."""
    path = tmp_path / "mlflow.db"
    answers = load(version.number, path)
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    assert await wrong_answers(sqlite_uri(path), answers) == {}
    assert await server_facts(sqlite_uri(path)) == (version.revision, {*version.features, "ARTIFACTS"})
    assert contents(tmp_path) == before


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_dump_is_small(version: Version) -> None:
    """A dump has the schema and little data."""
    assert sql_file(version.number).stat().st_size < _MAX_BYTES


def test_questions_are_not_trivial() -> None:
    """Each search of the newest version finds some of the active runs or models, and not all of them."""
    answers = load_answers(VERSIONS[-1].number)
    all_runs = {run["name"] for run in answers.active_runs()}
    for name in ("run_filters", "dataset_filters"):
        for text, found in answers[name].items():
            assert set() < set(found) < all_runs, text
    for name in ("experiment_filters", "model_filters"):
        assert all(answers[name].values()), name


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_dump_has_every_feature(version: Version) -> None:
    """A dump has rows of each feature of its version, so that the questions ask about them."""
    answers = load_answers(version.number)
    has = {
        "DATASETS": any(run["datasets"] for run in answers["runs"]),
        "LOGGED_MODELS": bool(answers["logged_models"] and answers["output_models"]),
        "REGISTRY": bool(answers["registered_models"]),
        "ALIASES": any(model["aliases"] for model in answers["registered_models"]),
    }
    assert {name for name, present in has.items() if present} == {*version.features} - {"WORKSPACES"}
