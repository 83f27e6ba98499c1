"""No two public classes of the packages have one name."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_class_names_are_distinct() -> None:
    """A reader who searches for a class by its name finds one."""
    names = Counter(
        node.name
        for package in ("gql_server", "schema")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []
