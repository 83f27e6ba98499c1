"""Documents by id: the operator's trusted documents, and those that clients registered by their SHA-256."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from cachetools import LRUCache

from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError
from gql_server.operations.trusted_documents import document_hash, read_trusted_documents

_MAX_LENGTH: Final = 20_000
"""Characters of a document that is stored for clients: a thousand of them take 20 MB."""


class PersistedDocuments:
    """Finds the document of a request: the one in the request, or the one with the request's id.

    With `trusted_only`, only trusted documents are executed, whether sent by id or in full, and none is
    stored for clients. Otherwise the last `size` documents are that clients sent with their hash.
    """

    def __init__(self, trusted: Mapping[str, str], *, trusted_only: bool = False, size: int = 0) -> None:
        self.trusted = trusted
        self._trusted_only = trusted_only
        self._sent: LRUCache[str, str] = LRUCache(0 if trusted_only else size)

    @classmethod
    def from_settings(cls, settings: Settings) -> "PersistedDocuments":
        """Return the documents of the settings; raise `DocumentsFolderError` if they are invalid."""
        mode = settings.documents_mode
        trusted = {} if mode == "off" else read_trusted_documents(Path(settings.documents_folder))
        size = settings.limits.documents.persisted_queries
        return cls(trusted, trusted_only=mode == "only", size=size)

    def resolve(self, request: GraphQLRequest) -> GraphQLRequest:
        """Return the request with its document; raise `RequestError` if that is unknown or not trusted."""
        if request.document_id is None and not self._trusted_only:
            return request
        document_id = request.document_id or document_hash(request.query)
        trusted = self.trusted.get(document_id)
        if request.query and not _is_document(request.query, document_id, trusted):
            message = "The document does not have the hash that was sent with it."
            raise RequestError.from_message(message, ErrorCode.VALIDATION_FAILED)
        return replace(request, query=trusted or self._untrusted(document_id, request.query))

    def remember(self, request: GraphQLRequest) -> None:
        """Store the valid document of a request that was sent with its hash."""
        document_id = request.document_id
        if document_id is None or not self._sent.maxsize or document_id in self.trusted:
            return
        if len(request.query) <= _MAX_LENGTH:
            self._sent[document_id] = request.query

    def _untrusted(self, document_id: str, query: str) -> str:
        if self._trusted_only:
            message = "The server executes trusted documents only, and this is not one of them."
            raise RequestError.from_message(message, ErrorCode.DOCUMENT_NOT_TRUSTED)
        source = query or self._sent.get(document_id)
        if source is None:
            # Clients compare these messages before they send the document again.
            message, code = "PersistedQueryNotSupported", ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
            if self._sent.maxsize or self.trusted:
                message, code = "PersistedQueryNotFound", ErrorCode.PERSISTED_QUERY_NOT_FOUND
            raise RequestError.from_message(message, code)
        return source


def _is_document(query: str, document_id: str, trusted: str | None) -> bool:
    """Return whether the text of a document is the one that its id names."""
    return query == trusted if trusted is not None else document_hash(query) == document_id
