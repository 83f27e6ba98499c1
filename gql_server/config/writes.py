"""Settings of mutations and uploads."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class WriteSettings(BaseModel):
    """Whether the server writes to the store, and the limits of its writes."""

    writable: bool = Field(
        default=False, description="Add mutations and uploads. By default the server only reads."
    )
    write_threads: PositiveInt = Field(
        default=4,
        le=4,
        description="Maximum concurrent writes of one process. Each uses up to four database connections.",
    )
    max_batch: PositiveInt = Field(
        default=20_000,
        description="Maximum objects that the mutations of one document create, log, set and delete.",
    )
    max_upload_bytes: PositiveInt = Field(
        default=1_000_000_000, description="Maximum bytes of one uploaded file."
    )
    max_uploads: PositiveInt = Field(
        default=8, description="Maximum concurrent uploads of one process. Further ones are refused with 503."
    )
    upload_timeout: PositiveFloat = Field(
        default=600.0,
        description="Seconds that the store may take to save an uploaded file after this server received it.",
    )
