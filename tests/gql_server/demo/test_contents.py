"""The demo store covers the kinds of data that MLflow tracks."""

from __future__ import annotations

import json
import math
import struct
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import ViewType

from tests.support.stores.demo_store import Demo

INFINITY_IN_SQL = sys.float_info.max


def test_experiments(demo: Demo) -> None:
    """Three experiments are active beside MLflow's default one, and a fourth is deleted."""
    active = {experiment.name for experiment in demo.client.search_experiments()}
    deleted = demo.client.search_experiments(view_type=ViewType.DELETED_ONLY)
    assert active == {"Default", "moons-sweep", "ridge-learning-rates", "spirals-mlp"}
    assert [experiment.name for experiment in deleted] == ["scratch"]


def test_sweep_is_a_tree(demo: Demo) -> None:
    """The sweep has twelve child runs, and the best of them has one, the refit."""
    runs = demo.runs("moons-sweep")
    parents = {name: run.data.tags.get("mlflow.parentRunId") for name, run in runs.items()}
    sweep = runs["sweep"].info.run_id
    children = [name for name, parent in parents.items() if parent == sweep]
    assert len(children) == 12
    assert parents["sweep"] is None
    best = max(children, key=lambda name: max(demo.curve("moons-sweep", name, "val/f1 score")))
    assert parents["refit"] == runs[best].info.run_id


def test_sweep_reduces_the_loss(demo: Demo) -> None:
    """Each loss of the sweep falls, and ends lower for higher rates."""
    losses = [
        demo.curve("moons-sweep", f"lr={rate} l2=0", "val/loss") for rate in ("0.03", "0.1", "0.3", "1")
    ]
    assert all(curve[-1] < curve[0] for curve in losses)
    assert [curve[-1] for curve in losses] == sorted((curve[-1] for curve in losses), reverse=True)


@pytest.mark.parametrize("key", ["train/loss", "val/loss", "val/f1 score", "learning rate"])
def test_curves_are_long(demo: Demo, key: str) -> None:
    """A finished network has 400 points of each metric; keys contain slashes and spaces."""
    assert len(demo.curve("spirals-mlp", "tanh-24", key)) == 400


def test_runs_have_every_status(demo: Demo) -> None:
    """Runs are finished, failed, killed, running and scheduled; the last two have no end time."""
    runs = [*demo.runs("spirals-mlp").values(), *demo.runs("ridge-learning-rates").values()]
    has_end = {run.info.status: run.info.end_time is not None for run in runs}
    assert has_end == {
        "FINISHED": True,
        "FAILED": True,
        "KILLED": True,
        "RUNNING": False,
        "SCHEDULED": False,
    }


def test_divergence(demo: Demo) -> None:
    """With a rate that is too large the loss grows to infinity, as SQL stores it, and then becomes NaN."""
    loss = demo.curve("ridge-learning-rates", "lr=10", "loss")
    first_infinite, first_nan = (
        loss.index(INFINITY_IN_SQL),
        next(i for i, value in enumerate(loss) if math.isnan(value)),
    )
    assert 0 < first_infinite < first_nan < len(loss)
    assert all(math.isnan(value) for value in loss[first_nan:])
    run = demo.runs("ridge-learning-rates")["lr=10"]
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == f"loss is not a number at step {first_nan}"
    assert run.data.metrics["peak loss"] == INFINITY_IN_SQL
    assert math.isnan(run.data.metrics["loss"])


def test_other_rates_converge(demo: Demo) -> None:
    """The loss of all smaller rates is finite at the end."""
    runs = demo.runs("ridge-learning-rates")
    assert [name for name, run in runs.items() if not math.isfinite(run.data.metrics["loss"])] == ["lr=10"]


def test_artifacts(demo: Demo) -> None:
    """A run has a text, a plot and nested folders."""
    run = demo.runs("moons-sweep")["sweep"]
    folder = Path(demo.client.download_artifacts(run.info.run_id, ""))
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["plots/val/loss.png", "report.txt", "tables/sweep.csv"]
    assert (folder / "report.txt").read_text().startswith("Best of 12: lr=")


def test_plot_is_a_png(demo: Demo) -> None:
    """The plot is a valid PNG: each checksum is correct, and the pixels have the stated size."""
    run = demo.runs("spirals-mlp")["tanh-24"]
    content = Path(demo.client.download_artifacts(run.info.run_id, "plots/loss.png")).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + size]
        assert struct.unpack_from(">I", content, at + 8 + size) == (zlib.crc32(body),)
        chunks[body[:4]] = body[4:]
        at += size + 12
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + width // 2)


def test_datasets(demo: Demo) -> None:
    """Runs are linked to their data sets, with the context of each."""
    inputs = demo.runs("spirals-mlp")["tanh-8"].inputs
    assert inputs is not None
    used = {item.dataset.name: item.tags[0].value for item in inputs.dataset_inputs}
    assert used == {"spirals-train": "training", "spirals-val": "validation"}
    assert all(json.loads(item.dataset.profile or "{}")["num_rows"] for item in inputs.dataset_inputs)


def test_deleted_run(demo: Demo) -> None:
    """One run of an active experiment is deleted."""
    assert list(demo.runs("spirals-mlp", ViewType.DELETED_ONLY)) == ["wrong labels"]


def test_dates_are_fixed(demo: Demo) -> None:
    """All dates in the store are within four days from 2 November 2026, 08:59 UTC."""
    first = datetime(2026, 11, 2, 8, 59, tzinfo=UTC)
    client = demo.client
    dates: list[Any] = []
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        dates += [experiment.creation_time, experiment.last_update_time]
        for model in client.search_logged_models([experiment.experiment_id]):
            dates += [model.creation_timestamp, model.last_updated_timestamp]
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            dates += [run.info.start_time, run.info.end_time or run.info.start_time]
    for registered in client.search_registered_models():
        dates += [registered.creation_timestamp, registered.last_updated_timestamp]
    for version in client.search_model_versions():
        dates += [version.creation_timestamp, version.last_updated_timestamp]
    assert datetime.fromtimestamp(min(dates) / 1000, tz=UTC) == first
    assert datetime.fromtimestamp(max(dates) / 1000, tz=UTC) < first + timedelta(days=4)


def test_values_are_fixed(demo: Demo) -> None:
    """The trainings give the same values in each fill, so that the documentation can show them."""
    network, ridge = demo.runs("spirals-mlp")["tanh-24"], demo.runs("ridge-learning-rates")["lr=0.3"]
    assert network.data.metrics["val/accuracy"] == 0.925
    assert ridge.data.metrics["loss"] == 0.0255572
    assert list(demo.runs("ridge-learning-rates")) == ["lr=0.001", "lr=0.01", "lr=0.1", "lr=0.3", "lr=10"]
