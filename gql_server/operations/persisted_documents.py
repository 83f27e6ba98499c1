"""Documents by their SHA-256: those that the operator trusts, and those that clients sent before."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError

_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST = 20_000
"""Characters of a document that is kept for a client: a thousand of them are 20 MB."""


class DocumentsFolderError(ValueError):
    """The folder of trusted documents cannot be used as it is."""


@dataclass(slots=True)
class PersistedDocuments:
    """Finds a request's document: as it was sent, or by its hash.

    With `only`, nothing runs but the trusted documents, sent by hash or in full, and none is kept for
    clients; otherwise the last `most` documents that came with their hash are.
    """

    trusted: Mapping[str, str]
    only: bool = False
    most: int = 0
    _sent: OrderedDict[str, str] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, settings: Settings) -> "PersistedDocuments":
        """Return the documents that the settings name; raise BadFolder where they are not usable."""
        mode = settings.documents_mode
        trusted = {} if mode == "off" else read_trusted_documents(Path(settings.documents_folder))
        only = mode == "only"
        return cls(trusted, only, 0 if only else settings.persisted_queries)

    def find(self, asked: GraphQLRequest) -> GraphQLRequest:
        """Return the request with its document; raise Refusal where that is not known or not allowed."""
        if asked.document_id is None and not self.only:
            return asked
        own = _hash_of(asked.query) if asked.query else None
        wanted = own if asked.document_id is None else asked.document_id
        if own is not None and own != wanted:
            text = "The document does not have the hash that was sent with it."
            raise RequestError.from_message(text, ErrorCode.VALIDATION_FAILED)
        source = self.trusted.get(wanted or "") or self._known(wanted or "", asked.query)
        return replace(asked, query=source)

    def _known(self, wanted: str, query: str) -> str:
        if self.only:
            text = "The server runs trusted documents only, and this is none."
            raise RequestError.from_message(text, ErrorCode.DOCUMENT_NOT_TRUSTED)
        source = query or self._sent.get(wanted)
        if source is None:
            by_hash = self.most or self.trusted
            # In the words that clients look for, before they send the document again.
            text, code = "PersistedQueryNotSupported", ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
            if by_hash:
                text, code = "PersistedQueryNotFound", ErrorCode.PERSISTED_QUERY_NOT_FOUND
            raise RequestError.from_message(text, code)
        return source

    def keep(self, asked: GraphQLRequest) -> None:
        """Keep the document of a request that came with its hash, once it is known to be valid."""
        wanted = asked.document_id
        if wanted is None or not self.most or wanted in self.trusted or len(asked.query) > _LARGEST:
            return
        self._sent[wanted] = asked.query
        self._sent.move_to_end(wanted)
        if len(self._sent) > self.most:
            self._sent.popitem(last=False)


def read_trusted_documents(folder: Path) -> dict[str, str]:
    """Return the documents in a folder's *.graphql files by their SHA-256.

    A file whose name is a hash must have that hash. Raises BadFolder where it has not, or there is no file.
    """
    found = {}
    for path in sorted(folder.glob("*.graphql")):
        try:
            source = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path}: the document cannot be read: {error}"
            raise DocumentsFolderError(message) from None
        own = _hash_of(source)
        if _HASH.fullmatch(path.stem) and path.stem != own:
            message = f"{path}: the document has another hash than its name says, {own}."
            raise DocumentsFolderError(message)
        found[own] = source
    if not found:
        message = f"{folder}: there is no document in it; documents are files named *.graphql."
        raise DocumentsFolderError(message)
    return found


def _hash_of(source: str) -> str:
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
