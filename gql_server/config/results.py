"""Settings of the size of query results."""

from pydantic import BaseModel, Field, PositiveInt


class ResultSettings(BaseModel):
    """How much one field or one operation reads and returns."""

    max_page_size: int = Field(
        default=1000,
        ge=50,
        description="Maximum `first` of a page, and maximum different ids, names or keys in one argument; at "
        "least 50.",
    )
    max_conditions: PositiveInt = Field(
        default=500,
        le=900,
        description="Maximum conditions of one search: comparisons, `and`, `or` and `not` in `where`, and "
        "comparisons in `filter`. SQLite allows 1000 nested expressions.",
    )
    # Each is a join in the database, and MySQL joins at most 61 tables.
    max_sort_keys: int = Field(
        default=16,
        ge=1,
        le=50,
        description="Maximum different entries of one `orderBy`, and of one `groupBy`; at most 50.",
    )
    # One column a run: wider tables are of no use to a reader, and each key adds a value for each run.
    max_compared_runs: PositiveInt = Field(default=100, description="Maximum runs of one `compareRuns`.")
    max_scanned_runs: PositiveInt = Field(
        default=100_000,
        description="Maximum runs read from a store to finish one search or count that the store cannot do "
        "itself.",
    )
    max_groups: PositiveInt = Field(
        default=100_000,
        description="Maximum groups of runs, metric summaries or logged keys that one field returns.",
    )
    max_rows: int = Field(
        default=10_000,
        ge=1000,
        description="Maximum flat rows that one field returns; at least 1000. `/tables` returns all rows.",
    )
    max_points: PositiveInt = Field(
        default=2_000_000, description="Maximum points of metric histories that one field returns."
    )
    # With so many points in one history SQLite takes 6 s, and 310 MB of memory.
    max_sampled_points: PositiveInt = Field(
        default=5_000_000,
        description="Maximum points of metric histories that one field reads to sample them by `maxPoints`.",
    )
