"""Settings of `/tables`."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class ExportSettings(BaseModel):
    """How many exports run at once, and which files are stored for them."""

    max_table_downloads: PositiveInt = Field(
        default=4, description="Maximum concurrent exports of one process. Further ones are refused with 503."
    )
    max_table_columns: PositiveInt = Field(
        default=5000, description="Maximum params, metrics and tags that become columns of a wide table."
    )
    # Clients read the length or the end of a file first and then parts of it, within seconds of one another.
    table_file_seconds: PositiveFloat = Field(
        default=60.0,
        le=3600,
        description="Seconds after its last use that the file of an export is stored for further requests, "
        "up to five times as long in total.",
    )
    # With pass-through each caller has separate files.
    max_table_files: PositiveInt = Field(
        default=64,
        description="Maximum files of exports stored by one process. The least recently used is dropped "
        "first.",
    )
    table_spool_bytes: PositiveInt = Field(
        default=4_000_000_000, description="Maximum bytes of the temporary folder of exports."
    )
