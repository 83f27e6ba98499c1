"""docs/compatibility.md lists the versions that are tested, and what each has."""

import re
from pathlib import Path

from tests.upstream.versions import VERSIONS

_PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
_COLUMNS = ("REGISTRY", "ALIASES", "DATASETS", "LOGGED_MODELS", "WORKSPACES")


def test_table_lists_versions() -> None:
    """The table has the versions, revisions and features of the list, in its order."""
    rows = re.findall(r"^\| ([\d.]+) \| `(\w+)` \|(.*)\|$", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [(number, revision, _features(cells)) for number, revision, cells in rows]
    assert listed == [(each.number, each.revision, {*each.features}) for each in VERSIONS]


def _features(cells: str) -> set[str]:
    return {name for name, cell in zip(_COLUMNS, cells.split("|"), strict=True) if cell.strip() == "yes"}
