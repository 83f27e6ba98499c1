"""The limits object has the values of the settings."""

import ast
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from gql_server.config.settings import Settings

ROOT = Path(__file__).parents[3]


def test_limits_have_the_values_of_their_settings() -> None:
    """Each field of each group has the value of the setting with the same name."""
    settings = Settings(tracking_uri="unused:", max_depth=7, store_timeout=3.5, max_rows=1234)
    for group in fields(settings.limits):
        limits = getattr(settings.limits, group.name)
        for limit in fields(limits):
            assert getattr(limits, limit.name) == getattr(settings, limit.name)
    assert settings.limits.documents.max_depth == 7


def test_limits_are_created_once_and_frozen() -> None:
    """The settings have one limits object, which cannot be changed."""
    settings = Settings(tracking_uri="unused:")
    assert settings.limits is settings.limits
    with pytest.raises(FrozenInstanceError):
        settings.limits.documents.max_depth = 1  # type: ignore[misc]


def defaults_in(source: str) -> Iterator[str]:
    """Yield the names of parameters and class fields in a source that have a number as their default."""
    for node in ast.walk(ast.parse(source)):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            with_default = positional[len(positional) - len(node.defaults) :]
            pairs += zip((argument.arg for argument in with_default), node.defaults, strict=True)
            pairs += zip((argument.arg for argument in node.kwonlyargs), node.kw_defaults, strict=True)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pairs.append((node.target.id, node.value))
        yield from (
            name
            for name, value in pairs
            if isinstance(value, ast.Constant) and isinstance(value.value, int | float)
        )


def test_defaults_of_limits_are_in_the_settings_alone() -> None:
    """No parameter or field outside of the settings has the name of a limit and a default."""
    limits = Settings(tracking_uri="unused:").limits
    names = {limit.name for group in fields(limits) for limit in fields(getattr(limits, group.name))}
    duplicated = {
        (path.relative_to(ROOT).as_posix(), name)
        for package in ("gql_server", "schema")
        for path in (ROOT / package).rglob("*.py")
        if path.parent != ROOT / "gql_server" / "config"
        for name in defaults_in(path.read_text())
        if name in names
    }
    # The page size of a store, not of a client's request.
    assert duplicated == {("gql_server/stores/pushdown/capabilities.py", "max_page_size")}


def test_defaults_in_a_source_are_found() -> None:
    """Defaults of positional and keyword parameters and of class fields are found; other values are not."""
    source = "class A:\n    a: int = 1\n    b: int\n\ndef f(c, d=2, *, e, g=3.5, h=None):\n    i = 4\n"
    assert sorted(defaults_in(source)) == ["a", "d", "g"]
