"""The schema breaks no client of the last release, unless the changelog documents the change.

`schema/released.graphql` is the schema of the last release: each release copies `schema.graphql` to it.
"""

import re
from pathlib import Path

import pytest
from graphql import BreakingChange, GraphQLSchema, find_breaking_changes
from graphql import build_schema as schema_in

import schema
from tests.support.schema.document_strategies import SCHEMA

RELEASED = schema_in(Path(schema.__file__).with_name("released.graphql").read_text(encoding="utf-8"))
CHANGELOG = (Path(__file__).parent.parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")


def undocumented_changes(old: GraphQLSchema, new: GraphQLSchema, changelog: str) -> list[str]:
    """Return the breaking changes whose coordinate, such as `Run.name`, is not in the unreleased changes."""
    unreleased = changelog.split("## [Unreleased]", 1)[1].split("\n## [", 1)[0]
    lines = [line for line in unreleased.splitlines() if "breaking" in line.lower()]
    return [
        change.description
        for change in find_breaking_changes(old, new)
        if not any(_names(line, change) for line in lines)
    ]


def _names(line: str, change: BreakingChange) -> bool:
    coordinate = change.description.split(" ")[0]
    return re.search(rf"`{re.escape(coordinate)}`", line) is not None


def test_breaking_changes_are_in_the_changelog() -> None:
    """Each change that breaks a client of the last release is in the changelog as breaking."""
    assert undocumented_changes(RELEASED, SCHEMA, CHANGELOG) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- Breaking: `Query.gone` is removed.", []),
        ("- `Query.gone` is removed.", ["Query.gone was removed."]),
        ("- Breaking: `Query.other` is removed.", ["Query.gone was removed."]),
    ],
)
def test_removed_field_must_be_documented(line: str, expected: list[str]) -> None:
    """A removed field must be named as breaking among the unreleased changes."""
    old, new = schema_in("type Query { here: Int gone: Int }"), schema_in("type Query { here: Int }")
    changelog = f"## [Unreleased]\n\n{line}\n\n## [0.1.0]\n- Breaking: `Query.gone`\n"
    assert undocumented_changes(old, new, changelog) == expected
