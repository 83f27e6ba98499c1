"""Documents that were asked before."""

from gql_server.http.documents import Documents
from schema.build import build_schema

SCHEMA = build_schema()._schema  # noqa: SLF001


def test_a_document_is_read_once() -> None:
    """The same source gives the same document, for as long as it is among the last asked."""
    documents = Documents(SCHEMA, size=2, max_tokens=100)
    first = documents.get("{ server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ a: server { version } }")
    assert documents.get("{ server { version } }") is first
    documents.get("{ b: server { version } }")
    documents.get("{ c: server { version } }")
    assert documents.get("{ server { version } }") is not first


def test_nothing_is_kept_without_room() -> None:
    """A size of none keeps none."""
    documents = Documents(SCHEMA, size=0, max_tokens=100)
    assert documents.get("{ server { version } }") is not documents.get("{ server { version } }")
