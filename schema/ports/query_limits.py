"""The limits that the graph itself enforces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Limits of one operation's fields; each is the setting of its name, which holds the default."""

    max_page_size: int
    """The largest `first`, and the most ids in one lookup."""
    max_conditions: int
    """The most conditions in one `where`, the comparisons of `filter` included."""
    max_compared_runs: int
    """The most runs in one `compareRuns`."""
    max_rows: int
    """The most flat rows that one field returns."""
    max_scanned_runs: int
    """The most runs that are read to finish a search that the store cannot finish."""
    max_batch: int
    """The most objects that one document creates, logs, sets and deletes."""
