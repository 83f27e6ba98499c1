"""Tests of the cache of documents."""

import gc
from itertools import takewhile

import pytest
from graphql import GraphQLError, Node, Token

from gql_server.config.settings import Settings
from gql_server.operations.document_cache import DocumentCache
from gql_server.operations.document_checker import DocumentChecker
from schema.build import build_schema

SCHEMA = build_schema()._schema  # noqa: SLF001


def cache_of(size: int, max_errors: int = 100) -> DocumentCache:
    """Return an empty cache of this size."""
    checker = DocumentChecker(Settings(tracking_uri="unused:").limits.documents)
    return DocumentCache(SCHEMA, checker, size=size, introspection=True, max_errors=max_errors)


def test_cached_document_is_not_parsed_again() -> None:
    """The same source gives the same document while it is in the cache."""
    documents = cache_of(2)
    first = documents.get("{ server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ a: server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ b: server { version } }")
    documents.get("{ c: server { version } }")
    assert documents.get("{ server { version } }") is not first


def test_cache_of_size_zero_is_empty() -> None:
    """With a size of 0 no document is cached."""
    documents = cache_of(0)
    assert documents.get("{ server { version } }") is not documents.get("{ server { version } }")


def reachable() -> tuple[int, int]:
    """Return the number of tokens and nodes of documents in memory."""
    gc.collect()
    objects = gc.get_objects()
    return sum(isinstance(item, Token) for item in objects), sum(isinstance(item, Node) for item in objects)


REFUSED = {
    "too many tokens": "{ " + "name " * 5001 + "}",
    "too many aliases": "{ " + " ".join(f"a{number}: server {{ version }}" for number in range(201)) + " }",
    "no GraphQL": "{ " + "name " * 4000,
    "not valid": "{ " + "nope { name } " * 49 + "}",
}


def is_refused(documents: DocumentCache, source: str) -> bool:
    """Return whether a document cannot be parsed or is not valid."""
    try:
        return bool(documents.get(source).errors)
    except GraphQLError:
        return True


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_documents_are_not_cached(name: str) -> None:
    """A document that is refused, for a limit or an error, leaves nothing in memory."""
    documents = cache_of(500)
    documents.get("{ server { version } }")
    before = reachable()
    for number in range(10):
        assert is_refused(documents, f"{REFUSED[name]}#{number}")
    # There may be less than before, if documents of another test were collected.
    assert all(now <= then for now, then in zip(reachable(), before, strict=True))


def test_cached_documents_have_no_tokens() -> None:
    """The tokens and comments of a cached document are discarded; errors still have locations."""
    documents = cache_of(500)
    documents.get("{ __typename }")
    tokens, _ = reachable()
    for number in range(10):
        document = documents.get("#\n" * 1000 + f"{{ a{number}: server {{ version }} }}")
        assert not document.errors
        assert document.parsed.definitions[0].loc is not None
        assert document.parsed.definitions[0].loc.start == 2000
    assert reachable()[0] <= tokens


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{ server { version } }", 20),
        ("{ runs { nodes { metrics(keys: [" + '"a", ' * 1000 + "]) { key } } } }", 3),
        ("#" + "-" * 90_000 + "\n{ server { version } }", 10),
    ],
    ids=["short", "many nodes", "a comment"],
)
def test_long_documents_count_as_several(source: str, expected: int) -> None:
    """A long document counts as several, so that the cache takes no more memory than with short ones."""
    documents = cache_of(20)
    added = [(f"{source}#{number}", documents.get(f"{source}#{number}")) for number in range(25)]
    cached = takewhile(lambda item: documents.get(item[0]) is item[1], reversed(added))
    assert sum(1 for _ in cached) == expected


def test_plans_count_as_a_part_of_their_document() -> None:
    """Each plan of a document adds to its weight; the cache drops other documents for it."""
    documents = cache_of(6)
    fields = " ".join(f"n{number}: name" for number in range(40))
    source = f"query ($a: Boolean!) {{ runs {{ nodes {{ {fields} x: name @skip(if: $a) }} }} }}"
    others = [f"{{ a{number}: server {{ version }} }}" for number in range(4)]
    document = documents.get(source)
    kept = [documents.get(other) for other in others]
    operation = document.operation(None)
    assert operation is not None
    weights = [document.weight]
    for value in (True, True, False):
        assert documents.planned(source, operation, {"a": value}) is not None
        weights.append(document.weight)
    assert weights == [1, 3, 3, 4]
    assert documents.get(source) is document
    assert [documents.get(other) is one for other, one in zip(others[2:], kept[2:], strict=True)] == [
        True,
        True,
    ]
    assert documents.get(others[0]) is not kept[0]


def test_validation_stops_at_the_maximum_of_errors() -> None:
    """Validation stops at the maximum of errors and reports that it did."""
    source = "{ " + " ".join(f"x{number}" for number in range(40)) + " }"
    errors = cache_of(2, max_errors=5).get(source).errors
    assert len(errors) == 6
    assert "error limit reached" in errors[-1].message
