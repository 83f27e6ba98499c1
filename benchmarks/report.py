"""The report: tables in Markdown, and the aims with the measured values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "<!-- benchmarks: begin -->"
END = "<!-- benchmarks: end -->"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title, header and rows, and an optional note."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""

    def __str__(self) -> str:
        lines = [
            _line(self.header),
            _line("---" if not number else "--:" for number in range(len(self.header))),
        ]
        lines += map(_line, self.rows)
        parts = [f"### {self.title}", self.note, "\n".join(lines)]
        return "\n\n".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Aim:
    """An aim: a measured value, its bound, and the unit of both; the value is below 0 if not measured."""

    name: str
    measured: float
    bound: float
    unit: str = "x"
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the measured value is within the bound."""
        return self.measured >= self.bound if self.at_least else 0 <= self.measured <= self.bound

    @property
    def row(self) -> list[str]:
        """The aim's row in the table of aims."""
        measured = f"{self.measured:.2f}{self.unit}" if self.measured >= 0 else "not measured"
        return [
            self.name,
            f"at {'least' if self.at_least else 'most'} {self.bound:g}{self.unit}",
            measured,
            "met" if self.met else "**missed**",
        ]


@dataclass(frozen=True, slots=True)
class Section:
    """The results of one part of the benchmarks."""

    tables: list[Table] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)


def render(machine: str, sections: Iterable[Section]) -> str:
    """Return the report in Markdown, with the aims of all sections at the end."""
    results = list(sections)
    aims = [aim.row for section in results for aim in section.aims]
    tables = [table for section in results for table in section.tables]
    tables.append(Table("Aims", ["aim", "bound", "measured", ""], aims))
    return "\n\n".join([machine, *map(str, tables)])


def paste(text: str, page: Path) -> None:
    """Replace the text between the two markers of a page; raise ValueError if the page has no markers."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{page} has no lines {BEGIN} and {END} to write between"
        raise ValueError(message)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def ratio(number: float) -> str:
    """Return a ratio as text."""
    return f"{number:.2f}x"


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
