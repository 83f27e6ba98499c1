"""Documents that were asked before."""

import gc
from itertools import takewhile

import pytest
from graphql import Node, Token

from gql_server.operations.document_cache import DocumentCache
from gql_server.operations.document_limits import DocumentLimits
from schema.build import build_schema

SCHEMA = build_schema()._schema  # noqa: SLF001


def test_a_document_is_read_once() -> None:
    """The same source gives the same document, for as long as it is among the last asked."""
    documents = DocumentCache(SCHEMA, size=2, bounds=DocumentLimits())
    first = documents.get("{ server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ a: server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ b: server { version } }")
    documents.get("{ c: server { version } }")
    assert documents.get("{ server { version } }") is not first


def test_nothing_is_kept_without_room() -> None:
    """A size of none keeps none."""
    documents = DocumentCache(SCHEMA, size=0, bounds=DocumentLimits())
    assert documents.get("{ server { version } }") is not documents.get("{ server { version } }")


def reachable() -> tuple[int, int]:
    """Return how many tokens and nodes of documents are in memory."""
    gc.collect()
    there = gc.get_objects()
    return sum(isinstance(one, Token) for one in there), sum(isinstance(one, Node) for one in there)


REFUSED = {
    "too many tokens": "{ " + "name " * 5001 + "}",
    "too many aliases": "{ " + " ".join(f"a{number}: server {{ version }}" for number in range(201)) + " }",
    "no GraphQL": "{ " + "name " * 4000,
    "not valid": "{ " + "nope { name } " * 49 + "}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_kept_of_what_is_refused(name: str) -> None:
    """Documents that are refused, for a bound or for an error, leave nothing in memory."""
    documents = DocumentCache(SCHEMA, size=500, bounds=DocumentLimits())
    documents.get("{ server { version } }")
    before = reachable()
    for number in range(10):
        assert documents.get(f"{REFUSED[name]}#{number}").errors
    # Less, where another test's documents went meanwhile.
    assert all(now <= then for now, then in zip(reachable(), before, strict=True))


def test_documents_are_kept_without_their_tokens() -> None:
    """Of what is kept, comments and tokens are not; errors can still tell places in it."""
    documents = DocumentCache(SCHEMA, size=500, bounds=DocumentLimits())
    documents.get("{ __typename }")
    tokens, _ = reachable()
    for number in range(10):
        document = documents.get("#\n" * 1000 + f"{{ a{number}: server {{ version }} }}")
        assert document.parsed is not None
        assert not document.errors
        assert document.parsed.definitions[0].loc is not None
        assert document.parsed.definitions[0].loc.start == 2000
    assert reachable()[0] <= tokens


@pytest.mark.parametrize(
    ("source", "most"),
    [
        ("{ server { version } }", 20),
        ("{ runs { nodes { metrics(keys: [" + '"a", ' * 1000 + "]) { key } } } }", 3),
        ("#" + "-" * 90_000 + "\n{ server { version } }", 10),
    ],
    ids=["short", "of many nodes", "a comment"],
)
def test_what_is_kept_is_bounded_by_its_size(source: str, most: int) -> None:
    """A long document counts as several, so that what is kept takes no more memory than many short ones."""
    documents = DocumentCache(SCHEMA, size=20, bounds=DocumentLimits())
    read = [(f"{source}#{number}", documents.get(f"{source}#{number}")) for number in range(25)]
    kept = takewhile(lambda one: documents.get(one[0]) is one[1], reversed(read))
    assert sum(1 for _ in kept) == most


def test_errors_are_bounded() -> None:
    """Validation ends at the most errors that are shown, and says so."""
    source = "{ " + " ".join(f"x{number}" for number in range(40)) + " }"
    errors = DocumentCache(SCHEMA, size=2, bounds=DocumentLimits(), most_errors=5).get(source).errors
    assert len(errors) == 6
    assert "error limit reached" in errors[-1].message
