"""Ids of runs, as MLflow makes and checks them."""

import re

# mlflow.utils.validation; there `$` also lets a newline at the end pass.
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def is_run_id(text: str) -> bool:
    """Say whether a run can have this id."""
    return _RUN_ID.fullmatch(text) is not None
