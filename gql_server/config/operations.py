"""Settings of the execution of operations and of the errors that they return."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from gql_server.config.error_detail import ErrorDetail


class OperationSettings(BaseModel):
    """How much an operation may cost, how long it may take, and what its errors disclose."""

    max_cost: PositiveInt = Field(
        default=500_000,
        description="Maximum cost of an operation: the number of objects that its page sizes and lists "
        "allow. Ten leaves of an object count as one more.",
    )
    # The threads that read for an operation notice it after some milliseconds.
    max_processor_seconds: PositiveFloat = Field(
        default=8.0,
        description="Maximum seconds of processor time of one query in this process: statements of SQLite, "
        "and the work on what was read. PostgreSQL and MySQL have processes of their own.",
    )
    # Sorting and completing takes about three times as much.
    max_read_bytes: PositiveInt = Field(
        default=120_000_000,
        description="Maximum bytes in memory, estimated, of what all fields of one query read from a "
        "database.",
    )
    # A process takes about three times as much while it makes the answer.
    max_answer_bytes: PositiveInt = Field(
        default=100_000_000,
        description="Maximum bytes of the answer to one operation, counted while it is made.",
    )
    max_operations: PositiveInt = Field(
        default=100,
        description="Maximum concurrent operations of one process. Further ones are refused with 503.",
    )
    operation_timeout: PositiveFloat = Field(
        default=60.0,
        description="Seconds that one operation may take. After that its calls to the store are cancelled.",
    )
    introspection: bool = Field(
        default=True,
        description="Allow introspection queries. Without it, error messages name no part of the schema.",
    )
    suggestions: bool = Field(
        default=True, description="Suggest similar names in error messages (`Did you mean ...`)."
    )
    max_errors: PositiveInt = Field(
        default=100,
        description="Maximum errors in one response. An additional entry gives the number of omitted ones.",
    )

    @property
    def error_detail(self) -> ErrorDetail:
        """Return how much of the schema error messages reveal."""
        return ErrorDetail(suggestions=self.suggestions, names=self.introspection)
