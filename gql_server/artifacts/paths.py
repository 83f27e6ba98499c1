"""Paths of artifacts: what leads out of a root, or might be read so, is refused before anything is asked."""

import logging
from typing import Final
from urllib.parse import unquote

from mlflow.exceptions import MlflowException
from mlflow.utils.uri import validate_path_is_safe

from schema.ports.errors import BadUserInput

_LONGEST: Final = 4096
"""The longest path in bytes: what Linux takes, and four times what S3 does."""
_MOST_LAYERS: Final = 4
"""Whoever encodes a path more often than so does not mean a file."""

_log = logging.getLogger(__name__)


def refused(path: str, why: str) -> BadUserInput:
    """Log that a path was refused, and return the fault."""
    _log.warning("refused the artifact path %.300r: %s", path, why)
    return BadUserInput(f"The path of an artifact {why}.")


def parts_of(path: str) -> list[str]:
    """Return the parts of a path from the root on; none for the root itself.

    Repositories differ in what they decode, so a path that is harmful in any decoded form is refused too.
    """
    if not _encodable(path):
        raise refused(path, "has characters that are not text")
    if len(path.encode()) > _LONGEST:
        raise refused(path, f"is longer than {_LONGEST} bytes")
    text = path
    for _ in range(_MOST_LAYERS):
        _check(path, text)
        decoded = unquote(text)
        if decoded == text:
            return path.split("/") if path else []
        text = decoded
    raise refused(path, "is encoded too often")


def check_sent(path: str) -> None:
    """Raise `BadUserInput` for a path that an MLflow server would take for another.

    MLflow's client puts it into an address as it is, where a ? and a # end it, and the server decodes what
    it gets until nothing changes; under the name that is left another file may be.
    """
    try:
        same = "?" not in path and validate_path_is_safe(path) == path
    except (MlflowException, ValueError):
        same = False
    if not same:
        raise refused(path, "has a #, ?, % or ; or a control character that an MLflow server reads otherwise")


def can_be_asked_for(path: str) -> bool:
    """Say whether `parts_of` takes a path; what has another one is left out of listings."""
    try:
        parts_of(path)
    except BadUserInput:
        return False
    return True


def _check(path: str, text: str) -> None:
    if "\x00" in text:
        raise refused(path, "has a NUL character")
    if "\\" in text:
        raise refused(path, "has a backslash")
    if text.startswith("/"):
        raise refused(path, "is absolute")
    if text.lower().startswith("file:"):
        raise refused(path, "is a URI")
    parts = text.split("/") if text else []
    if ".." in parts:
        raise refused(path, "leads upwards")
    if "" in parts or "." in parts:
        raise refused(path, "has an empty part")


def _encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
