"""The limits that the graph itself enforces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """The limits of the fields of one operation. Each has the name of its setting."""

    max_page_size: int
    """Maximum `first` of a connection, and maximum ids in one lookup."""
    max_conditions: int
    """Maximum conditions of one field: those of `where` plus the comparisons of `filter`."""
    max_sort_keys: int
    """Maximum different entries of `orderBy` and of `groupBy`."""
    max_compared_runs: int
    """Maximum runs in one `compareRuns`."""
    max_rows: int
    """Maximum flat rows of one field."""
    max_scanned_runs: int
    """Maximum runs to read for the flat rows of one field."""
    max_batch: int
    """Maximum objects that one document creates, logs, sets and deletes."""
