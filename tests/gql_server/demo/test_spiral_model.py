"""The demo's models are linked from runs and the registry, and predict outside of this project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlflow.entities import LoggedModel

from tests.support.stores.demo_store import Demo

# Runs in a directory without this project on the path, like a user's script.
PREDICT = """
import sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1], suppress_warnings=True)
import pandas
points = [[0.0, 0.6], [0.0, -0.6]]
print(model.predict(points), model.predict(pandas.DataFrame(points, columns=["x", "y"])))
assert "gql_server" not in sys.modules
"""


def _models(demo: Demo) -> dict[str, LoggedModel]:
    experiment = demo.client.get_experiment_by_name("spirals-mlp")
    assert experiment is not None
    return {model.name: model for model in demo.client.search_logged_models([experiment.experiment_id])}


def test_logged_models(demo: Demo) -> None:
    """Two networks are logged models with the status READY, linked to the runs that logged them."""
    models, runs = _models(demo), demo.runs("spirals-mlp")
    assert set(models) == {"tanh-16", "tanh-24"}
    for name, model in models.items():
        assert model.status.name == "READY"
        assert model.source_run_id == runs[name].info.run_id
        outputs = runs[name].outputs
        assert outputs is not None
        assert [(output.model_id, int(output.step)) for output in outputs.model_outputs] == [
            (model.model_id, 399)
        ]


def test_model_metrics(demo: Demo) -> None:
    """A logged model has metrics, each linked to its data set."""
    metrics = {metric.key: metric.dataset_name for metric in _models(demo)["tanh-24"].metrics or []}
    assert metrics["test/accuracy"] == "spirals-test"
    assert metrics["noisy/accuracy"] == "spirals-noisy"


def test_model_files(demo: Demo) -> None:
    """The folder of a model contains its MLmodel file, weights, requirements and code."""
    model = _models(demo)["tanh-24"]
    files = demo.client.list_logged_model_artifacts(model.model_id)
    assert [file.path for file in files] == ["MLmodel", "code", "requirements.txt", "weights.json"]


def test_registered_model(demo: Demo) -> None:
    """The registered model has two versions, and the second has the alias of the champion."""
    champion = demo.client.get_model_version_by_alias("spirals-classifier", "champion")
    versions = demo.client.search_model_versions("name = 'spirals-classifier'")
    models = _models(demo)
    assert [int(version.version) for version in versions] == [2, 1]
    assert int(champion.version) == 2
    assert champion.run_id == demo.runs("spirals-mlp")["tanh-24"].info.run_id
    assert champion.source == f"models:/{models['tanh-24'].model_id}"


def test_model_input(demo: Demo) -> None:
    """The champion is an input of the evaluation run."""
    run_id = demo.runs("spirals-mlp")["evaluate champion"].info.run_id
    inputs = demo.client.get_run(run_id).inputs
    assert inputs is not None
    assert [item.model_id for item in inputs.model_inputs] == [_models(demo)["tanh-24"].model_id]


def test_downloaded_model_predicts(demo: Demo, tmp_path: Path) -> None:
    """The downloaded model loads with MLflow alone and distinguishes the two arms."""
    source = demo.client.get_model_version_download_uri("spirals-classifier", "2")
    # -B: bytecode would add a file to the demo's model.
    command = [sys.executable, "-B", "-c", PREDICT, source]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.strip()) == sorted("[1, 0] [1, 0]")
