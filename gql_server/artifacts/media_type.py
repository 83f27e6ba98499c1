"""The media type of an artifact, from its name."""

from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Final

TEXT_NAMES: Final = frozenset(
    {
        *("txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml"),
        *("yaml", "yml", "xml", "json", "js", "ipynb", "py", "py3", "csv", "tsv", "md", "rst"),
        *("MLmodel", "mlproject"),
    }
)
"""The extensions, and names without one, of files that MLflow's UI shows as text."""


def media_type_of(name: str) -> str:
    """Return the media type of a file; application/octet-stream if its name does not tell."""
    guessed, _compression = guess_type(name)
    path = PurePosixPath(name)
    is_text = (path.suffix.removeprefix(".") or path.name) in TEXT_NAMES
    return guessed or ("text/plain" if is_text else "application/octet-stream")
