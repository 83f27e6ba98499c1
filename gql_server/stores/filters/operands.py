"""The operands of a filter's comparisons: keys, values and lists, as sqlparse groups the tokens."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from gql_server.stores.filters.tokens import Token, TokenKind


class OperandKind(Enum):
    """What an operand is."""

    IDENTIFIER = auto()
    """A key, or a value in double quotes."""
    STRING = auto()
    INTEGER = auto()
    FLOAT = auto()
    LIST = auto()
    """Text in parentheses."""
    OTHER = auto()
    """What sqlparse groups and MLflow refuses: a function, arithmetic, or NULL."""


class Operand(NamedTuple):
    """A key, a value or a list, and the index of the token after it."""

    kind: OperandKind
    text: str
    end: int


_Span: TypeAlias = tuple[OperandKind, int]
"""What an operand is, and the index of the token after it."""
_LITERALS: Final = {
    TokenKind.STRING: OperandKind.STRING,
    TokenKind.INTEGER: OperandKind.INTEGER,
    TokenKind.FLOAT: OperandKind.FLOAT,
}
_OPENING: Final = {")": "(", "]": "["}


class OperandReader:
    """Reads operands from the tokens of `text`."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._closing = _closing_brackets(tokens)

    def read(self, start: int) -> Operand | None:
        """Return the operand that starts at a token; None if none does."""
        span = self._cast(start)
        if span is None:
            return None
        kind, end = span
        while self._is(end, TokenKind.OPERATOR) and (right := self._cast(end + 1)) is not None:
            kind, end = OperandKind.OTHER, right[1]
        return Operand(kind, self._text[self._tokens[start].start : self._tokens[end - 1].end], end)

    def _cast(self, start: int) -> _Span | None:
        """Read an operand and what two colons join to it, as in the key `Net::loss`."""
        span = self._single(start)
        while (
            span is not None
            and self._is(span[1], TokenKind.CAST)
            and (joined := self._single(span[1] + 1)) is not None
        ):
            span = OperandKind.IDENTIFIER, joined[1]
        return span

    def _single(self, start: int) -> _Span | None:
        if start == len(self._tokens):
            return None
        token = self._tokens[start]
        if token.kind in {TokenKind.NAME, TokenKind.SYMBOL}:
            return self._key(start)
        if token.kind in _LITERALS:
            return _LITERALS[token.kind], start + 1
        if token.text == "(":
            end = self._after_group(start)
            return None if end is None else (OperandKind.LIST, end)
        is_null = token.kind is TokenKind.KEYWORD and token.text.upper() == "NULL"
        return (OperandKind.OTHER, start + 1) if is_null else None

    def _key(self, start: int) -> _Span:
        """Read a name, the names that dots join to it, and an index in brackets after them."""
        call = self._after_call(start)
        if call is not None:
            return OperandKind.OTHER, call
        end = start + 1
        while self._is(end, TokenKind.DOT):
            call = self._after_call(end + 1)
            if call is not None:
                return OperandKind.IDENTIFIER, call
            end += 2 if self._can_follow_dot(end + 1) else 1
        while self._is(end, TokenKind.OPEN, "[") and (after := self._after_group(end)) is not None:
            end = after
        return OperandKind.IDENTIFIER, end

    def _after_call(self, start: int) -> int | None:
        """Return the index after a name with parentheses, as in the key `mAP(0.5)`; None if it is none."""
        if self._is(start, TokenKind.NAME) and self._is(start + 1, TokenKind.OPEN, "("):
            return self._after_group(start + 1)
        return None

    def _after_group(self, start: int) -> int | None:
        """Return the index after the bracket that closes this one; None if none does."""
        closing = self._closing.get(start)
        return None if closing is None else closing + 1

    def _can_follow_dot(self, index: int) -> bool:
        kinds = (TokenKind.NAME, TokenKind.SYMBOL, TokenKind.STRING)
        return any(self._is(index, kind) for kind in kinds) or self._is(index, TokenKind.OPERATOR, "*")

    def _is(self, index: int, kind: TokenKind, text: str | None = None) -> bool:
        if index >= len(self._tokens):
            return False
        token = self._tokens[index]
        return token.kind is kind and text in {None, token.text}


def _closing_brackets(tokens: Sequence[Token]) -> dict[int, int]:
    """Return the index of the bracket that closes each opening one; those without one are left out."""
    closing: dict[int, int] = {}
    unclosed: dict[str, list[int]] = {"(": [], "[": []}
    for index, token in enumerate(tokens):
        if token.kind is TokenKind.OPEN:
            unclosed[token.text].append(index)
        elif token.kind is TokenKind.CLOSE and unclosed[_OPENING[token.text]]:
            closing[unclosed[_OPENING[token.text]].pop()] = index
    return closing
