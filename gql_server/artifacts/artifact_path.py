"""Paths of artifacts: a path that leads out of its root, in any decoded form, is refused before any I/O."""

import logging
import re
from typing import Final
from urllib.parse import unquote

from schema.ports.errors import BadUserInput

_MAX_BYTES: Final = 4096
"""Maximum length of a path: Linux's limit, and four times that of S3."""
_MAX_DECODINGS: Final = 4
"""A path that is percent-encoded more often than this is refused."""

_SEPARATORS: Final = re.compile(r"[/\\]")
_DRIVE: Final = re.compile("[a-zA-Z]:")
"""The start of a path on another system, whose parts are separated by backslashes."""

_log = logging.getLogger(__name__)


def path_error(path: str, reason: str) -> BadUserInput:
    """Log that a path is refused, and return the error; `reason` completes "The path of an artifact ..."."""
    _log.warning("refused the artifact path %.300r: %s", path, reason)
    return BadUserInput(f"The path of an artifact {reason}.")


def path_parts(path: str) -> list[str]:
    """Return the parts of a path from the root, none for the root itself; raise `BadUserInput` to refuse it.

    Repositories differ in what they decode, so a path is refused if any decoded form of it is harmful, also
    if a backslash separates its parts. A backslash is a part of a name otherwise.
    """
    reason = _reason_to_refuse(path)
    if reason is not None:
        raise path_error(path, reason)
    return path.split("/") if path else []


def check_server_path(path: str) -> None:
    """Raise `BadUserInput` for a path that an MLflow server would store as another path.

    MLflow's client puts the path into a URL unescaped, where a ? or # ends it, and the server decodes what it
    gets until nothing changes. The resulting name may be that of another file.
    """
    if "?" in path or not is_server_path(path):
        raise path_error(
            path, "has a #, ?, % or ; or a control character that an MLflow server reads differently"
        )


def is_server_path(path: str) -> bool:
    """Return whether an MLflow server finds the file with this path, if it gets the path in escaped form.

    It decodes a path until nothing changes, and refuses some characters.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds
    from mlflow.utils.uri import validate_path_is_safe  # noqa: PLC0415

    try:
        return is_valid_path(path) and validate_path_is_safe(path) == path
    except (MlflowException, ValueError):
        return False


def is_valid_path(path: str) -> bool:
    """Return whether `path_parts` accepts a path. Other paths are listed, but not read."""
    return _reason_to_refuse(path) is None


def _reason_to_refuse(path: str) -> str | None:
    if not _is_encodable(path):
        return "has characters that are not text"
    if len(path.encode()) > _MAX_BYTES:
        return f"is longer than {_MAX_BYTES} bytes"
    text = path
    for _ in range(_MAX_DECODINGS):
        reason = _reason_to_refuse_decoded(text)
        decoded = unquote(text)
        if reason is not None or decoded == text:
            return reason
        text = decoded
    return "is encoded too often"


def _reason_to_refuse_decoded(text: str) -> str | None:
    if "\x00" in text:
        return "has a NUL character"
    parts = _SEPARATORS.split(text) if text else []
    if text.startswith(("/", "\\")) or ("\\" in text and _DRIVE.match(text)):
        return "is absolute"
    if text.lower().startswith("file:"):
        return "is a URI"
    if ".." in parts:
        return "leads upwards"
    if "" in parts or "." in parts:
        return "has an empty part"
    return None


def _is_encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
