"""The folder of a logged model: weights, the code that reads them, and MLflow's ``MLmodel`` file."""

from __future__ import annotations

import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow.models import Model

from gql_server.demo.model import spiral_mlp

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

_CODE = "code"
_FLAVOR = "spiral_mlp"


def write_model_folder(folder: Path, network: spiral_mlp.SpiralMLP, logged: LoggedModel, date: int) -> None:
    """Write the files that ``mlflow.pyfunc.load_model`` reads; ``date`` is in milliseconds since 1970.

    MLflow's ``save_model`` is not used, since it imports pandas, which this project does not install.
    """
    (folder / _CODE).mkdir(parents=True)
    shutil.copy(spiral_mlp.__file__, folder / _CODE)
    network.save(folder / spiral_mlp.WEIGHTS_FILE)
    (folder / "requirements.txt").write_text("mlflow\n", encoding="utf-8")
    model = Model(
        artifact_path=logged.name,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
        model_uuid=logged.model_id.removeprefix("m-"),
        utc_time_created=datetime.fromtimestamp(date / 1000, tz=UTC).replace(tzinfo=None),
    )
    model.add_flavor(
        "python_function",
        loader_module=Path(spiral_mlp.__file__).stem,
        python_version=".".join(platform.python_version_tuple()[:2]),
        code=_CODE,
        data=spiral_mlp.WEIGHTS_FILE,
    )
    model.add_flavor(_FLAVOR, activation=network.activation, hidden=len(network.inner))
    model.save(folder / "MLmodel")
