"""The report of the benchmarks: tables, aims, and its part of a page."""

from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END, Aim, Section, Table, paste, render
from benchmarks.rounds import Timings, Variant, measure


def test_aims_come_last_with_measured_values() -> None:
    """The aims of all sections are in one table, met or missed."""
    aims = [Aim("near", 1.25, 2.0), Aim("calm", 60, 50, " ms"), Aim("small", -1, 4)]
    aims += [Aim("fast", 1.5, 1.3, at_least=True), Aim("faster", 1.5, 2, at_least=True)]
    text = render("- one core", [Section([Table("Reads", ["", "ms"], [["W1", 3]])], aims)])
    assert "| W1 | 3 |" in text
    table = text[text.index("### Aims") :].splitlines()
    assert table[4:] == [
        "| near | at most 2x | 1.25x | met |",
        "| calm | at most 50 ms | 60.00 ms | **missed** |",
        "| small | at most 4x | not measured | **missed** |",
        "| fast | at least 1.3x | 1.50x | met |",
        "| faster | at least 2x | 1.50x | **missed** |",
    ]


def test_page_gets_the_text_between_its_markers(tmp_path: Path) -> None:
    """Writing again replaces the text between the markers and nothing else."""
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\n{BEGIN}\n{END}\n\nThe end.\n")
    for text in ("old", "new"):
        paste(text, page)
    assert page.read_text() == f"# Performance\n\n{BEGIN}\n\nnew\n\n{END}\n\nThe end.\n"


def test_page_without_markers_is_unchanged(tmp_path: Path) -> None:
    """A page without markers is an error, and is not overwritten."""
    page = tmp_path / "performance.md"
    page.write_text("# Performance\n")
    with pytest.raises(ValueError, match="no lines"):
        paste("new", page)
    assert page.read_text() == "# Performance\n"


def test_variants_take_turns() -> None:
    """After a round that does not count, each variant is prepared and runs once a round."""
    turns: list[str] = []
    variants = {
        "a": Variant(lambda: turns.append("a"), lambda: turns.append("ready")),
        "b": Variant(lambda: turns.append("b")),
    }
    timings = measure(variants, 2)
    assert turns == ["ready", "a", "b"] * 3
    assert [len(times.times) for times in timings.values()] == [2, 2]


def test_timings_are_shown_as_median_and_range() -> None:
    """Times are shown in milliseconds; a single time has no range."""
    assert str(Timings([0.03, 0.01, 0.02])) == "20 (10 to 30)"
    assert str(Timings([0.0021])) == "2.1"
