"""The operator's trusted documents: files with one document each, and the manifests of clients' compilers.

A manifest is a JSON file in one of these forms; each id is the one that the client sends:

- Relay's and GraphQL Code Generator's: `{"<id>": "<document>"}`
- Apollo's: `{"format": "apollo-persisted-query-manifest", "operations": [{"id": "<id>", "body": "..."}]}`
- Apollo Kotlin's: `{"<id>": {"source": "<document>"}}`
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from gql_server.http.graphql_request import DOCUMENT_ID, HASH

_APOLLO: Final = "apollo-persisted-query-manifest"


class DocumentsFolderError(ValueError):
    """The folder of trusted documents is empty or has an invalid file."""


def document_hash(source: str) -> str:
    """Return a document's SHA-256."""
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def read_trusted_documents(folder: Path) -> dict[str, str]:
    """Return the documents in a folder's *.graphql and *.json files, by their SHA-256 and their ids.

    Raises `DocumentsFolderError` if there is no document, a file is not valid, or an id is that of two
    documents or the hash of another document.
    """
    documents: dict[str, str] = {}
    for path in sorted((*folder.glob("*.graphql"), *folder.glob("*.json"))):
        for document_id, source in _documents_of(path):
            if documents.setdefault(document_id, source) != source:
                message = f"{path}: the id {document_id} is that of two documents."
                raise DocumentsFolderError(message)
            documents[document_hash(source)] = source
    if not documents:
        message = (
            f"{folder}: the folder has no document; documents are files named *.graphql, or in manifests "
            "named *.json."
        )
        raise DocumentsFolderError(message)
    return documents


def _documents_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the source of each document in a file."""
    try:
        content = path.read_bytes()
        if path.suffix == ".json":
            for document_id, source in _entries(path, orjson.loads(content)):
                yield _checked_id(path, document_id, source), source
        else:
            source = content.decode()
            stem = path.stem if HASH.fullmatch(path.stem) else document_hash(source)
            yield _checked_id(path, stem, source), source
    except orjson.JSONDecodeError as error:
        message = f"{path}: the file is not JSON: {error}"
        raise DocumentsFolderError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the document cannot be read: {error}"
        raise DocumentsFolderError(message) from None


def _entries(path: Path, manifest: Any) -> Iterator[tuple[str, str]]:
    """Yield the id and the source of each document in a manifest."""
    for document_id, source in _fields_of(manifest):
        if not isinstance(document_id, str) or not isinstance(source, str):
            message = f"{path}: the file is no manifest: it has no id and text for each document."
            raise DocumentsFolderError(message)
        yield document_id, source


def _fields_of(manifest: Any) -> list[tuple[Any, Any]]:
    match manifest:
        case {"format": str(name)} if name == _APOLLO:
            operations = manifest.get("operations")
            return list(map(_fields_of_operation, operations if isinstance(operations, list) else [None]))
        case dict():
            return [(document_id, _source_of(value)) for document_id, value in manifest.items()]
    return [(None, None)]


def _source_of(value: Any) -> Any:
    return value.get("source") if isinstance(value, dict) else value


def _fields_of_operation(operation: Any) -> tuple[Any, Any]:
    return (operation.get("id"), operation.get("body")) if isinstance(operation, dict) else (None, None)


def _checked_id(path: Path, document_id: str, source: str) -> str:
    """Return the id as a request has it."""
    lower = document_id.removeprefix("sha256:").lower()
    if HASH.fullmatch(lower):
        if lower != document_hash(source):
            message = f"{path}: the document has another hash than its id: {document_hash(source)}."
            raise DocumentsFolderError(message)
        return lower
    if not DOCUMENT_ID.fullmatch(document_id):
        message = (
            f"{path}: {document_id!r:.300} is not an id: it has 1 to 200 letters, digits and _ . : = + -"
        )
        raise DocumentsFolderError(message)
    return document_id
