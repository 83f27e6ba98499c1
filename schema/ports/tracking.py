"""The port to experiments and runs, and the records of its parameters and results.

Each method takes many keys and returns one result for each, in the order of the keys. The number of store
calls of a nested query therefore depends on its depth, not on the number of its experiments and runs. Results
are columns (`schema.ports.table`).

Times are integer milliseconds since 1970-01-01 UTC. Ids are opaque strings. A metric value that is not finite
is None in `value` and `NAN`, `POSITIVE_INFINITY` or `NEGATIVE_INFINITY` in `non_finite`, which is None for
all other values.

Expected errors are `schema.ports.errors.PublicError`. Every method may raise `StoreUnavailable`,
`StoreTimeout`, `Unauthenticated`, `Forbidden` and, for a feature that the store lacks, `UnsupportedByStore`.
An id in a form that the store cannot have is `BadUserInput`. An id that does not exist is not an error: a
lookup has no row for it, and its list is empty.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from schema.ports.artifacts import ArtifactStore
from schema.ports.condition import Condition, KeyKind
from schema.ports.lifecycle import LifecycleView
from schema.ports.long_histories import LongHistories
from schema.ports.point_feed import PointFeed
from schema.ports.store_info import StoreInfo
from schema.ports.store_kind import StoreKind
from schema.ports.store_ports import StorePorts
from schema.ports.table import Many, One, Span, Table


@dataclass(frozen=True, slots=True)
class Children:
    """The child runs of a run: the runs of its experiment whose tag `PARENT_TAG` has its id."""

    run_id: str
    experiment_id: str


ExperimentScope: TypeAlias = tuple[str, ...] | None
"""Experiments by id; None means all active experiments."""

Scope: TypeAlias = ExperimentScope | Children
"""The set of runs that a search covers."""

Position: TypeAlias = list[Any]
"""A position in an ordered search: JSON values in a form that the store chooses, opaque to the graph.

The client sends it back and may have changed it. A store validates it and raises `BadUserInput`.
"""

LoggedKind: TypeAlias = Literal["metric", "param", "tag"]
"""The kinds of data that a run has under keys."""

Series: TypeAlias = tuple[str, str]
"""A run id and a metric key."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How to reduce a history to at most `max_points` points (2 or more), the first and the last included.

    `method` selects the other points: `lttb` and `min_max` preserve the shape of the curve and its extremes,
    `every_nth` takes points at even distances. Points that are not finite remain as gaps, as far as
    `max_points` permits. A history of at most `max_points` points is not reduced.
    """

    max_points: int
    method: Literal["lttb", "min_max", "every_nth"]


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key. `key` is a column if `by` is "attribute", else the key of a metric, param or tag.

    Text sorts by code point. Params and tags that are numbers (`schema.ports.condition.parse_number`) sort by
    value, before those that are not. Missing values sort last in both directions, and NaN before them. Rows
    that are equal in all keys sort by id.
    """

    by: KeyKind
    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A search: MLflow's filter string, a condition, an order and a lifecycle view.

    A record must match both the filter and the condition; None matches every record. An empty order is
    MLflow's default: runs by start time and experiments by creation time, newest first.
    """

    filter: str | None = None
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    view: LifecycleView = LifecycleView.ACTIVE


@dataclass(frozen=True, slots=True)
class GroupBy:
    """One grouping key. `key` is a column if `by` is "attribute", else the key of a param or tag."""

    by: Literal["attribute", "param", "tag"]
    key: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """The keys to group runs by and the metrics to summarize: None means all metrics, () none."""

    by: tuple[GroupBy, ...]
    metrics: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of runs, sorted by their keys as by `Order`, missing values last.

    `values` has the value of each key for each group: text, integer milliseconds, float seconds or None.
    `metrics` has one row per metric for each group, sorted by key, with the columns key, count, min, max,
    mean and stddev. They cover finite values only. `stddev` is the sample standard deviation, None for a
    single value. Mean and stddev are None if the magnitude of a value exceeds `MAX_SUMMABLE`.
    """

    values: Sequence[Sequence[Any]]
    counts: Sequence[int]
    metrics: Many


MAX_SUMMABLE = 1e150
"""The largest magnitude of a value in a mean or standard deviation: squares of larger ones may overflow."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: up to `first` rows after the position `after`, with at least these columns."""

    first: int
    after: Position | None
    columns: frozenset[str]
    """These may be `schema.ports.columns.Columns`, with keys."""


@dataclass(frozen=True, slots=True)
class Pages:
    """One page for each scope. `rows` has the rows of all pages, `spans` those of each page.

    `has_next` is whether more rows follow each page. `position(index)` returns the position after a row of
    `rows`, from which the next page starts.
    """

    rows: Table
    spans: Sequence[Span]
    has_next: Sequence[bool]
    position: Callable[[int], Position]


class Tracking(StorePorts, LongHistories, PointFeed, Protocol):
    """A tracking store. `StorePorts` adds its ports to models, `TrackingWithArtifacts` the artifacts.

    The columns of each table:

    - experiments: experiment_id, name, artifact_location, lifecycle_stage, created_at, updated_at
    - runs: run_id, name, status, lifecycle_stage, user_id, started_at, ended_at, artifact_uri, experiment_id
    - params, tags: key, value
    - metrics: run_id, key, value, non_finite, step, timestamp
    - points: step, timestamp, value, non_finite

    Tables of experiments and runs need to have only the requested columns. A store that reads related data in
    the same call may return these requested names as `Many` columns: `tags` on experiments; `params`,
    `metrics`, `tags` and `datasets` on runs. The graph then does not request them again. If the columns are
    `Columns` with keys for one of them, the store may return the rows with these keys only, and then sets
    `Many.keys`.
    """

    @property
    def kind(self) -> StoreKind:
        """Return the kind of the store."""
        ...

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of the experiments that match a search, as the page of a single scope.

        Raise `BadUserInput` for a filter that MLflow does not accept, a key that experiments cannot be
        filtered or sorted by, and a position that the store did not issue. Raise `LimitExceeded` if the
        server has to evaluate the search for more than `GQL_MAX_SCANNED_RUNS` experiments.
        """
        ...

    async def count_experiments(self, search: Search) -> int | None:
        """Count the experiments that match a search; None for more than the scan limit of this store."""
        ...

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look up experiments by id, active or deleted."""
        ...

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look up experiments by their exact names, active or deleted."""
        ...

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment, sorted by key. None selects all keys."""
        ...

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return one page of the matching runs of each scope.

        Raise `BadUserInput` and `LimitExceeded` as `experiments` does.
        """
        ...

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; None for more than the scan limit of this store."""
        ...

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs and ignore the search's order. Without a key, all runs are one group.

        Raise `LimitExceeded` for more than `GQL_MAX_GROUPS` groups or summaries, and if the store has to scan
        more runs than its scan limit.
        """
        ...

    async def logged_keys(
        self, by: LoggedKind, experiment_ids: Sequence[str]
    ) -> Sequence[Sequence[str] | None]:
        """Return the distinct keys that the active runs of each experiment have, sorted by code point.

        The keys of an experiment are None if there are more than `GQL_MAX_GROUPS`, in some stores together
        with those of the experiments before it, or if the store has to scan more runs than its scan limit.
        """
        ...

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look up runs by id, active or deleted."""
        ...

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run, sorted by key. None selects all keys."""
        ...

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run, sorted by key. None selects all keys."""
        ...

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last point of each metric of each run, sorted by key. None selects all keys.

        The last point is the one with the highest step, then the highest timestamp, then the highest value.
        """
        ...

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        """Return the points of each series from `from_step` to `to_step`, both included, or a sample of them.

        None leaves a range open. Points are ordered by step, timestamp and value. Raise `LimitExceeded` if
        all series together have more than `GQL_MAX_POINTS` points to return, or, for a sample, more than
        `GQL_MAX_SAMPLED_POINTS` points to read.
        """
        ...

    async def info(self) -> StoreInfo:
        """Return the revision of the store's database, and the features of the store and its registry."""
        ...

    async def ready(self) -> None:
        """Return if the store responds. Raise the `PublicError` that is the reason if it does not."""
        ...

    async def close(self) -> None:
        """Close connections and threads. The store must not be used afterwards."""
        ...


class TrackingWithArtifacts(Tracking, Protocol):
    """A tracking store with the artifacts of its runs and logged models, as the graph reads it."""

    @property
    def artifacts(self) -> ArtifactStore:
        """Return the port to the files of runs and logged models."""
        ...
