"""Settings that bound what one answer, table or download holds."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class ResultSettings(BaseModel):
    """The bounds of what is read, each with its reason where that is not plain."""

    max_page_size: int = Field(
        default=1000, ge=50, description="The largest `first`, and the most ids in one lookup; at least 50."
    )
    max_conditions: PositiveInt = Field(
        default=500,
        le=900,
        description="The most tests, and, or and not in one `where`, with the comparisons of `filter`; "
        "SQLite takes no more than 1000.",
    )
    # A column a run: more is no table that anyone reads, and each key costs a value of each run.
    max_compared_runs: PositiveInt = Field(
        default=100, description="Runs that one `compareRuns` may set side by side."
    )
    max_scanned_runs: PositiveInt = Field(
        default=100_000,
        description="Runs read to finish one search or count here, where the store cannot do it itself.",
    )
    max_groups: PositiveInt = Field(
        default=100_000,
        description="Groups of runs, their metrics, or logged keys that one field of a query may return.",
    )
    max_rows: int = Field(
        default=10_000,
        ge=1000,
        description="The most flat rows in one answer; /tables gives all; at least 1000.",
    )
    max_table_downloads: PositiveInt = Field(
        default=4, description="Downloads of tables under way at once in one process."
    )
    max_table_columns: PositiveInt = Field(
        default=5000, description="The most params, metrics and tags that become columns of a wide table."
    )
    # Readers ask for the end of a Parquet file first and for parts of it then, within seconds of one another.
    table_file_seconds: PositiveFloat = Field(
        default=60.0,
        le=3600,
        description="Seconds after its last use that a table's Parquet file is kept for those who read it in "
        "parts, and at most five times as long in all.",
    )
    # With pass-through each caller has files of their own.
    max_table_files: PositiveInt = Field(
        default=64, description="Parquet files of tables that one process keeps, the least used going first."
    )
    table_spool_bytes: PositiveInt = Field(
        default=4_000_000_000, description="Bytes of the temporary folder for Parquet files of tables."
    )
    download_patience: PositiveFloat = Field(
        default=60.0,
        description="Seconds that a client may take to accept the next part of a table or answer.",
    )
    max_points: PositiveInt = Field(
        default=2_000_000, description="Points of metric histories that one field of a query may return."
    )
    # In one curve so many take SQLite 13 s, within the store's timeout, and 620 MB of memory at the peak.
    max_sampled_points: PositiveInt = Field(
        default=10_000_000,
        description="Points of metric histories that one field may go through to sample them by `maxPoints`.",
    )
    artifact_roots: str = Field(
        default="",
        description=(
            "Folders of this machine, separated as in PATH, that artifacts are read from. Without any: "
            "all where the store is a database or a folder, none where it is a server."
        ),
    )
    artifacts_uri: str = Field(
        default="",
        description="The MLflow server that hands out artifacts, where the tracking URI is not its own.",
    )
    max_artifacts: PositiveInt = Field(
        default=50_000, description="Files and folders of artifacts that one field of a query may list."
    )
    max_downloads: PositiveInt = Field(
        default=64, description="Downloads of artifacts under way at once in one process."
    )
    download_timeout: PositiveFloat = Field(
        default=600.0,
        description="Seconds until a file must begin to come, where MLflow has to fetch all of it first.",
    )
    artifact_spool_bytes: PositiveInt = Field(
        default=4_000_000_000,
        description="Bytes of the temporary folder for files that MLflow can only fetch as a whole.",
    )
