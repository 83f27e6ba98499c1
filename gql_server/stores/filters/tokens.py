"""The tokens of MLflow's filter strings, found by one regular expression in linear time.

MLflow reads a filter with sqlparse, so words, numbers and quotes end where they end in sqlparse. Keywords of
SQL have no meaning in a filter and are names here, except those that MLflow's grammar has.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple


class TokenKind(StrEnum):
    """What a token is; the names are those of the groups in the regular expression."""

    SPACE = "space"
    NAME = "name"
    """A word that is no keyword, or a name in backticks or square brackets."""
    SYMBOL = "symbol"
    """Text in double quotes: a key or a value."""
    STRING = "string"
    """Text in single quotes: a value, and a key only after a dot."""
    INTEGER = "integer"
    FLOAT = "float"
    COMPARATOR = "comparator"
    KEYWORD = "keyword"
    DOT = "dot"
    """A dot or an arrow: it joins a name to the name before it."""
    CAST = "cast"
    """Two colons."""
    OPERATOR = "operator"
    """A sign of arithmetic, which MLflow refuses."""
    OPEN = "open"
    CLOSE = "close"
    COMMENT = "comment"
    OTHER = "other"


class Token(NamedTuple):
    """A part of a filter: its kind, and where it starts and ends."""

    kind: TokenKind
    text: str
    start: int
    end: int


_KEYWORDS: Final = {"AND", "IS", "NOT", "NULL"}
_TOKEN: Final = re.compile(
    r"""
      (?P<space> \s+ )
    | (?P<string> ' (?: '' | \\' | [^'] )* ' )
    | (?P<symbol> " (?: "" | \\" | [^"] )* " )
    | (?P<quoted> ` (?: `` | [^`] )* ` )
    | (?P<comment> (?: -- | \#[ ] ) [^\r\n]* | /\* )
    | (?P<cast> :: )
    # Reserved words are no keys without quotes, after a dot neither.
    | (?P<reserved> (?: CASE | IN | VALUES | USING | FROM | AS ) \b )
    | (?P<marked> (?: @ | \#\#? ) [A-ZÀ-Ü]\w+ )
    # Before or after a dot and before a parenthesis, every other word is a name.
    | (?P<named> [A-ZÀ-Ü]\w* (?= \s* \. (?!\d) ) | (?<=\.) [A-ZÀ-Ü]\w* | [A-ZÀ-Ü]\w* (?=\() )
    | (?P<hexadecimal> -?0x[\dA-F]+ )
    | (?P<float> -?\d+ (?: \.\d+ )? E[-+]?\d+ | -? (?: \d+\.\d* | \.\d+ ) (?![_A-ZÀ-Ü]) )
    | (?P<integer> -?\d+ (?![_A-ZÀ-Ü]) )
    # After a word or a bracket, a bracket is an index.
    | (?P<bracketed> (?<! [\w\])] ) \[ [^\]\[]+ \] )
    | (?P<keyword> NOT\s+NULL \b )
    | (?P<comparator> (?: NOT\s+ )? (?: LIKE | ILIKE | RLIKE | REGEXP (?: \s+BINARY )? ) \b )
    | (?P<word> \w [$\#\w]* )
    | (?P<open> [(\[] )
    | (?P<close> [)\]] )
    | (?P<dot> \. | ->>? )
    | (?P<json> \#>>? | @> | <@ )
    | (?P<comparison> [<>=~!]+ )
    | (?P<operator> [+/@\#%^&|*-]+ )
    | (?P<other> . )
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_KINDS: Final = {
    **{kind.value: kind for kind in TokenKind},
    "quoted": TokenKind.NAME,
    "reserved": TokenKind.KEYWORD,
    "marked": TokenKind.NAME,
    "named": TokenKind.NAME,
    "hexadecimal": TokenKind.OTHER,
    "bracketed": TokenKind.NAME,
    "word": TokenKind.NAME,
    "json": TokenKind.OPERATOR,
    "comparison": TokenKind.COMPARATOR,
}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a filter, without white space."""
    for match in _TOKEN.finditer(text):
        kind = _KINDS[str(match.lastgroup)]
        if kind is TokenKind.NAME and match.lastgroup == "word" and match[0].upper() in _KEYWORDS:
            kind = TokenKind.KEYWORD
        if kind is not TokenKind.SPACE:
            yield Token(kind, match[0], match.start(), match.end())
