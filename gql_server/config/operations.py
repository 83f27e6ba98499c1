"""Settings of documents and the operations that they ask for, before they run and while they do."""

from typing import Literal, Self

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from gql_server.http.errors import Hints


class OperationSettings(BaseModel):
    """What a document may be, which ones run, and what errors tell."""

    max_body_bytes: PositiveInt = Field(
        default=1_000_000, description="The largest body of a request, in bytes."
    )
    max_tokens: PositiveInt = Field(
        default=5000, description="The most lexical tokens in a document; GraphiQL's introspection has 300."
    )
    max_document_bytes: PositiveInt = Field(
        default=100_000, description="The largest document, in bytes; a body has variables too."
    )
    max_depth: PositiveInt = Field(
        default=20, description="The most levels of a document; GraphiQL's introspection has 15."
    )
    max_fields: PositiveInt = Field(
        default=5000, description="The most fields of a document once its fragments are spread."
    )
    max_aliases: PositiveInt = Field(
        default=200, description="The most aliases in a document once its fragments are spread."
    )
    max_root_fields: PositiveInt = Field(
        default=50, description="The most fields at the root of an operation: each asks the store by itself."
    )
    max_directives: PositiveInt = Field(
        default=100, description="The most directives in a document once its fragments are spread."
    )
    max_fragments: PositiveInt = Field(default=100, description="The most fragments that a document names.")
    max_values: PositiveInt = Field(
        default=20_000,
        description="The most list items and objects, which count as 10, in an operation's arguments: a "
        "variable's once for each argument that reads it. A mutation may have its batch beside.",
    )
    max_cost: PositiveInt = Field(
        default=500_000,
        description="The most objects that an operation may ask for, by its pages and lists.",
    )
    max_operations: PositiveInt = Field(
        default=100, description="Operations under way at once in one process; those beyond get 503."
    )
    operation_timeout: PositiveFloat = Field(
        default=60.0, description="Seconds that one operation may take; its calls to the store end with it."
    )
    documents_mode: Literal["off", "allow", "only"] = Field(
        default="off",
        description="Whether documents may be sent by their SHA-256, as trusted ones, or only these run.",
    )
    documents_folder: str = Field(default="", description="The folder of trusted documents, `*.graphql`.")
    persisted_queries: NonNegativeInt = Field(
        default=0,
        le=10_000,
        description="Documents that clients sent with their SHA-256 and may then ask by it alone, "
        "the least used dropped first; none where only trusted ones run.",
    )
    introspection: bool = Field(
        default=True, description="Whether the schema can be asked for; without, errors name nothing of it."
    )
    suggestions: bool = Field(default=True, description="Whether errors say which name may have been meant.")
    max_errors: PositiveInt = Field(
        default=100, description="The most errors in one answer; one more then says how many were left out."
    )
    document_cache_size: NonNegativeInt = Field(
        default=500,
        description="Valid documents kept in memory as they were parsed, each 64 kB of them counting as one, "
        "the least used dropped first.",
    )

    @property
    def hints(self) -> Hints:
        """Return how much errors tell of the schema."""
        return Hints(suggestions=self.suggestions, names=self.introspection)

    @model_validator(mode="after")
    def _has_documents(self) -> Self:
        if self.documents_mode != "off" and not self.documents_folder:
            message = f"GQL_DOCUMENTS_MODE={self.documents_mode} needs GQL_DOCUMENTS_FOLDER"
            raise ValueError(message)
        return self
