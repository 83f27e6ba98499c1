"""What the benchmarks write: tables, aims, and a page's part."""

from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END, Aim, Section, Table, paste, render
from benchmarks.rounds import Contender, Sample, measure


def test_aims_come_last_with_what_was_measured() -> None:
    """Every section's aims stand in one table, met or missed."""
    aims = [Aim("near", 1.25, 2.0), Aim("calm", 60, 50, " ms"), Aim("small", -1, 4)]
    text = render("- one core", [Section([Table("Reads", ["", "ms"], [["W1", 3]])], aims)])
    assert "| W1 | 3 |" in text
    table = text[text.index("### Aims") :].splitlines()
    assert table[4:] == [
        "| near | at most 2x | 1.25x | met |",
        "| calm | at most 50 ms | 60.00 ms | **missed** |",
        "| small | at most 4x | not measured | **missed** |",
    ]


def test_a_page_gets_the_text_between_its_markers(tmp_path: Path) -> None:
    """Writing again replaces what was written, and nothing else."""
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\n{BEGIN}\n{END}\n\nThe end.\n")
    for text in ("old", "new"):
        paste(text, page)
    assert page.read_text() == f"# Performance\n\n{BEGIN}\n\nnew\n\n{END}\n\nThe end.\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    """A page that says nowhere where to write is an error, not overwritten."""
    page = tmp_path / "performance.md"
    page.write_text("# Performance\n")
    with pytest.raises(ValueError, match="no lines"):
        paste("new", page)
    assert page.read_text() == "# Performance\n"


def test_contenders_take_turns() -> None:
    """After one turn that does not count, each runs once a round, behind what prepares it."""
    turns: list[str] = []
    contenders = {
        "a": Contender(lambda: turns.append("a"), lambda: turns.append("ready")),
        "b": Contender(lambda: turns.append("b")),
    }
    samples = measure(contenders, 2)
    assert turns == ["ready", "a", "b"] * 3
    assert [len(sample.times) for sample in samples.values()] == [2, 2]


def test_a_sample_is_its_median_and_its_span() -> None:
    """Times are written in milliseconds; a single one has no span."""
    assert str(Sample([0.03, 0.01, 0.02])) == "20 (10 to 30)"
    assert str(Sample([0.0021])) == "2.1"
