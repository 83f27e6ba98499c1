"""Settings of changes."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class WriteSettings(BaseModel):
    """Whether the graph changes what is tracked, and how much at once."""

    writable: bool = Field(
        default=False, description="Whether the graph has mutations; without it the server only reads."
    )
    write_threads: PositiveInt = Field(
        default=4,
        le=4,
        description="Changes under way at once in one process; each takes up to four connections.",
    )
    max_batch: PositiveInt = Field(
        default=20_000, description="Things that one document may create, log, set and delete."
    )
    max_upload_bytes: PositiveInt = Field(
        default=1_000_000_000, description="The largest file that may be uploaded, in bytes."
    )
    max_uploads: PositiveInt = Field(default=8, description="Uploads under way at once in one process.")
    upload_timeout: PositiveFloat = Field(
        default=600.0, description="Seconds that the store may take to take a file that is all here."
    )
