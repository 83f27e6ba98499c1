"""Settings of request bodies and GraphQL documents, which are checked before an operation runs."""

from typing import Literal, Self

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, model_validator


class DocumentSettings(BaseModel):
    """The size of a document, and which documents the server accepts."""

    max_body_bytes: PositiveInt = Field(
        default=1_000_000, description="Maximum bytes of a request body, and of a WebSocket message."
    )
    max_document_bytes: PositiveInt = Field(
        default=100_000, description="Maximum bytes of a document, without its variables."
    )
    max_tokens: PositiveInt = Field(
        default=5000,
        description="Maximum lexical tokens, and lines, of a document. GraphiQL's introspection query has "
        "300.",
    )
    max_depth: PositiveInt = Field(
        default=20,
        description="Maximum depth of a document. GraphiQL's introspection query has 15 levels.",
    )
    max_fields: PositiveInt = Field(
        default=5000, description="Maximum fields of a document, with its fragments expanded."
    )
    max_aliases: PositiveInt = Field(
        default=200, description="Maximum aliases of a document, with its fragments expanded."
    )
    max_root_fields: PositiveInt = Field(
        default=50,
        description="Maximum root fields of an operation. Each of them calls the store separately.",
    )
    max_directives: PositiveInt = Field(
        default=100, description="Maximum directives of a document, with its fragments expanded."
    )
    max_fragments: PositiveInt = Field(default=100, description="Maximum fragment definitions of a document.")
    max_values: PositiveInt = Field(
        default=20_000,
        description="Maximum list items and objects in the arguments of an operation. An object counts as "
        "10, and a variable once per use. A mutation's batch is counted separately (`GQL_MAX_BATCH`).",
    )
    documents_mode: Literal["off", "allow", "only"] = Field(
        default="off",
        description="Trusted documents: `off`; `allow` runs them by their SHA-256 or their id in a "
        "manifest, and any other document; `only` runs no other document.",
    )
    documents_folder: str = Field(
        default="",
        description="Folder of the trusted documents: `*.graphql`, and the manifests of Relay, GraphQL Code "
        "Generator and Apollo, `*.json`. Required unless `GQL_DOCUMENTS_MODE=off`.",
    )
    persisted_queries: NonNegativeInt = Field(
        default=0,
        le=10_000,
        description="Maximum automatic persisted queries: documents that clients register with their "
        "SHA-256. The least recently used is dropped first. Off by default, and with "
        "`GQL_DOCUMENTS_MODE=only`.",
    )
    document_cache_size: NonNegativeInt = Field(
        default=500,
        description="Maximum parsed documents cached in memory; each 64 kB of a document and its plans count "
        "as one. The least recently used is dropped first; 0 turns the cache off.",
    )

    @model_validator(mode="after")
    def _check_documents(self) -> Self:
        if self.documents_mode != "off" and not self.documents_folder:
            message = f"GQL_DOCUMENTS_MODE={self.documents_mode} needs GQL_DOCUMENTS_FOLDER"
            raise ValueError(message)
        return self
