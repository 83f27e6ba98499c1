"""The tokens of a document: a chain through all of it, comments too, that nobody reads once it is parsed."""

from graphql import DocumentNode, Location, Node, Token, TokenKind

_NONE = Token(TokenKind.SOF, 0, 0, 0, 0)


def without_tokens(document: DocumentNode) -> int:
    """Let go of a document's tokens, a third of its memory or more, and return the number of its nodes.

    Nodes keep where they start and end, which is all that errors tell.
    """
    count = 0
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        count += 1
        if node.loc is not None:
            _forget(node.loc)
        waiting.extend(_below(node))
    return count


def _forget(place: Location) -> None:
    place.start_token = place.end_token = _NONE


def _below(node: Node) -> list[Node]:
    values = [getattr(node, key) for key in node.keys if key != "loc"]
    found = [value for value in values if isinstance(value, Node)]
    return found + [item for value in values if isinstance(value, tuple) for item in value]
