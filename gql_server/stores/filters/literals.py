"""The values in filters: quoted text, numbers, and lists of quoted texts."""

import ast
import re
from typing import Final

from gql_server.stores.filters.operands import Operand, OperandKind
from gql_server.stores.filters.refusal import refusal

_INT64: Final = 2**63
_LIST: Final = "While parsing a list in the query, expected"
_ESCAPE: Final = re.compile(r"\\(?P<known>[\\'\"abfnrtvxNuU0-7\r\n]?)")
NUMERIC: Final = {OperandKind.INTEGER, OperandKind.FLOAT}
QUOTED: Final = {OperandKind.STRING, OperandKind.IDENTIFIER}


def without_quotes(text: str) -> str:
    """Return a key without quotes or backticks around it. Nothing inside is unescaped, as in MLflow."""
    return _trimmed(_trimmed(text, "'\""), "`")


def quoted_text(operand: Operand) -> str:
    """Return the text of a value; raise `BadUserInput` if it is not in quotes."""
    text = _trimmed(operand.text, "'\"")
    if text == operand.text:
        message = (
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{operand.text}. Use either single or double quotes."
        )
        raise refusal(message)
    return text


def number(text: str) -> int | float:
    """Return a number as an int if it is a whole one of 64 bits, and as a float otherwise."""
    value = float(text)
    try:
        whole = int(text)
    except ValueError:  # It has a point, an exponent, or more digits than Python converts.
        if not value.is_integer():
            return value
        whole = int(value)
    return whole if -_INT64 <= whole < _INT64 else value


def experiment_id(text: str) -> str:
    """Return an experiment's id in the form that the port has; raise `BadUserInput` if it is no number."""
    try:
        return str(int(text))
    except ValueError as error:
        message = f"Invalid experiment ID '{text}'. Experiment ID must be a valid integer."
        raise refusal(message) from error


def quoted_texts(text: str) -> tuple[str, ...]:
    """Return the texts of a list, read with Python's syntax and escapes, as in MLflow."""
    try:
        values = ast.literal_eval(_ESCAPE.sub(_known_escape, text))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        message = f"{_LIST} a non-empty list of string values, but got ill-formed list."
        raise refusal(message) from error
    values = values if isinstance(values, tuple) else (values,)
    if not values:
        message = f"{_LIST} a non-empty list of string values, but got empty list"
        raise refusal(message)
    if not all(isinstance(value, str) for value in values):
        expected = f"{_LIST} string value, punctuation, or whitespace"
        message = f"{expected}, but got different type in list: {values}"
        raise refusal(message)
    return values


def _trimmed(text: str, quotes: str) -> str:
    is_quoted = len(text) > 1 and text[0] in quotes and text[-1] == text[0]
    return text[1:-1] if is_quoted else text


def _known_escape(escape: re.Match[str]) -> str:
    # Python keeps the backslash of an unknown escape, with a warning.
    return escape[0] if escape["known"] else r"\\"
