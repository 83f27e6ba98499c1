"""The grammar of MLflow's filter strings: comparisons, usually with AND between them.

    filter     = { comparison | "AND" }
    comparison = operand comparator operand
               | operand ["NOT"] "IN" list
               | operand "IS" ("NULL" | "NOT NULL")

As in MLflow, AND may be repeated and may be missing, except before IN and IS if another comparison than IS is
before it. What can be compared depends on the rules of runs, experiments or registered models.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gql_server.stores.filters.operands import Operand, OperandKind, OperandReader
from gql_server.stores.filters.refusal import refusal
from gql_server.stores.filters.tokens import TokenKind, tokens

_NULL_TESTS: Final = {"NULL": "IS NULL", "NOT NULL": "IS NOT NULL"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: its operands, and the operator in capitals; `right` is None after IS."""

    left: Operand
    operator: str
    right: Operand | None

    def text(self, key: str) -> str:
        """Return the comparison as a filter, with another key."""
        return " ".join((key, self.operator, *([self.right.text] if self.right else [])))


def parse_clauses(text: str) -> list[Clause]:
    """Return the comparisons of a filter; raise `BadUserInput` with MLflow's message for any other text."""
    return _ClauseParser(text).parse()


class _ClauseParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._read = OperandReader(text, self._tokens).read

    def parse(self) -> list[Clause]:
        if not self._tokens:
            message = f"Invalid filter '{self._text}'. Could not be parsed."
            raise refusal(message)
        clauses: list[Clause] = []
        invalid: list[str] = []
        index, needs_and = 0, False
        while index < len(self._tokens):
            if self._word(index) == "AND":
                index, needs_and = index + 1, False
                continue
            operand = self._read(index)
            found = None if operand is None else self._clause(operand, needs_and=needs_and)
            if found is not None:
                clause, index = found
                clauses.append(clause)
                needs_and = clause.right is not None
            else:
                end = index + 1 if operand is None else operand.end
                invalid.append(self._slice(index, end))
                index = end
        if invalid:
            raise refusal(self._message(invalid))
        return clauses

    def _clause(self, left: Operand, *, needs_and: bool) -> tuple[Clause, int] | None:
        """Return the comparison whose left operand was read, and the index after it; None if it is none."""
        index = left.end
        if index < len(self._tokens) and self._tokens[index].kind is TokenKind.COMPARATOR:
            right = self._read(index + 1)
            operator = " ".join(self._tokens[index].text.upper().split())
            return None if right is None else (Clause(left, operator, right), right.end)
        if needs_and or left.kind is not OperandKind.IDENTIFIER:
            return None
        if self._word(index) == "IS" and self._word(index + 1) in _NULL_TESTS:
            return Clause(left, _NULL_TESTS[self._word(index + 1)], None), index + 2
        negated = self._word(index) == "NOT"
        if self._word(index + negated) != "IN":
            return None
        right = self._read(index + negated + 1)
        if right is None or right.kind is not OperandKind.LIST:
            return None
        return Clause(left, "NOT IN" if negated else "IN", right), right.end

    def _word(self, index: int) -> str:
        """Return a keyword in capitals; an empty text for any other token."""
        token = self._tokens[index] if index < len(self._tokens) else None
        return token.text.upper() if token and token.kind is TokenKind.KEYWORD else ""

    def _slice(self, start: int, end: int) -> str:
        return self._text[self._tokens[start].start : self._tokens[end - 1].end]

    def _message(self, invalid: list[str]) -> str:
        if ";" in invalid and self._tokens[-1].text != ";":
            return (
                f"Search filter contained multiple expression {self._text!r}. Provide AND-ed expression list."
            )
        return f"Invalid clause(s) in filter string: {', '.join(_quoted(invalid))}"


def _quoted(texts: list[str]) -> Iterator[str]:
    return (f"'{text}'" for text in texts)
