"""The form of run ids."""

import re

# From mlflow.utils.validation, whose `$` also accepts a newline at the end.
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def is_run_id(text: str) -> bool:
    """Return whether a text has the form of a run id."""
    return _RUN_ID.fullmatch(text) is not None
