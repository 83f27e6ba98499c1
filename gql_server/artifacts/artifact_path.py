"""Paths of artifacts: a path that leads out of its root, in any decoded form, is refused before any I/O."""

import logging
from typing import Final
from urllib.parse import unquote

from schema.ports.errors import BadUserInput

_MAX_BYTES: Final = 4096
"""Maximum length of a path: Linux's limit, and four times that of S3."""
_MAX_DECODINGS: Final = 4
"""A path that is percent-encoded more often than this is refused."""

_log = logging.getLogger(__name__)


def path_error(path: str, reason: str) -> BadUserInput:
    """Log that a path is refused, and return the error; `reason` completes "The path of an artifact ..."."""
    _log.warning("refused the artifact path %.300r: %s", path, reason)
    return BadUserInput(f"The path of an artifact {reason}.")


def path_parts(path: str) -> list[str]:
    """Return the parts of a path from the root, none for the root itself; raise `BadUserInput` to refuse it.

    Repositories differ in what they decode, so a path is refused if any decoded form of it is harmful.
    """
    if not _is_encodable(path):
        raise path_error(path, "has characters that are not text")
    if len(path.encode()) > _MAX_BYTES:
        raise path_error(path, f"is longer than {_MAX_BYTES} bytes")
    text = path
    for _ in range(_MAX_DECODINGS):
        _check(path, text)
        decoded = unquote(text)
        if decoded == text:
            return path.split("/") if path else []
        text = decoded
    raise path_error(path, "is encoded too often")


def check_server_path(path: str) -> None:
    """Raise `BadUserInput` for a path that an MLflow server would read as another path.

    MLflow's client puts the path into a URL unescaped, where a ? or # ends it, and the server decodes what it
    gets until nothing changes. The resulting name may be that of another file.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds
    from mlflow.utils.uri import validate_path_is_safe  # noqa: PLC0415

    try:
        unchanged = "?" not in path and validate_path_is_safe(path) == path
    except (MlflowException, ValueError):
        unchanged = False
    if not unchanged:
        raise path_error(
            path, "has a #, ?, % or ; or a control character that an MLflow server reads differently"
        )


def is_valid_path(path: str) -> bool:
    """Return whether `path_parts` accepts a path. Listings leave out entries with other paths."""
    try:
        path_parts(path)
    except BadUserInput:
        return False
    return True


def _check(path: str, text: str) -> None:
    if "\x00" in text:
        raise path_error(path, "has a NUL character")
    if "\\" in text:
        raise path_error(path, "has a backslash")
    if text.startswith("/"):
        raise path_error(path, "is absolute")
    if text.lower().startswith("file:"):
        raise path_error(path, "is a URI")
    parts = text.split("/") if text else []
    if ".." in parts:
        raise path_error(path, "leads upwards")
    if "" in parts or "." in parts:
        raise path_error(path, "has an empty part")


def _is_encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
