"""The schema breaks no client of the last release, unless the changelog says so.

`schema/released.graphql` is the schema of the last release; who makes one copies `schema.graphql` there.
"""

import re
from pathlib import Path

import pytest
from graphql import BreakingChange, GraphQLSchema, find_breaking_changes
from graphql import build_schema as schema_in

import schema
from tests.support.document_strategies import SCHEMA

RELEASED = schema_in(Path(schema.__file__).with_name("released.graphql").read_text(encoding="utf-8"))
CHANGELOG = (Path(__file__).parent.parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")


def untold(old: GraphQLSchema, new: GraphQLSchema, changelog: str) -> list[str]:
    """Return the breaking changes whose place, such as `Run.name`, no line on what is unreleased names."""
    told = changelog.split("## [Unreleased]", 1)[1].split("\n## [", 1)[0]
    lines = [line for line in told.splitlines() if "breaking" in line.lower()]
    return [
        change.description
        for change in find_breaking_changes(old, new)
        if not any(_names(line, change) for line in lines)
    ]


def _names(line: str, change: BreakingChange) -> bool:
    place = change.description.split(" ")[0]
    return re.search(rf"`{re.escape(place)}`", line) is not None


def test_nothing_breaks_untold() -> None:
    """Each change that breaks a client of the last release stands in the changelog as breaking."""
    assert untold(RELEASED, SCHEMA, CHANGELOG) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("- Breaking: `Query.gone` is gone.", []),
        ("- `Query.gone` is gone.", ["Query.gone was removed."]),
        ("- Breaking: `Query.other` is gone.", ["Query.gone was removed."]),
    ],
)
def test_a_removed_field_must_be_told(line: str, found: list[str]) -> None:
    """A field that goes has to be named, and named as breaking, in what is not released yet."""
    old, new = schema_in("type Query { here: Int gone: Int }"), schema_in("type Query { here: Int }")
    assert untold(old, new, f"## [Unreleased]\n\n{line}\n\n## [0.1.0]\n- Breaking: `Query.gone`\n") == found
