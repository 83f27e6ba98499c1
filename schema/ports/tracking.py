"""The port: what the graph asks of a tracking store, and the plain records that it asks with.

Each method takes many keys and answers for all of them at once, so that a nested query costs a number
of store calls that depends on its depth and not on how many experiments or runs it touches. Answers
come as columns (`schema.ports.table`), in the order of the keys asked for. Times are integer milliseconds
since 1970 in UTC, ids are opaque strings, and a metric value that is not finite is None in `value`
with `NAN`, `POSITIVE_INFINITY` or `NEGATIVE_INFINITY` in `non_finite`.

Expected faults are raised as `schema.ports.errors.PublicError`. An id in a form that the store cannot have is
`BadUserInput`; an id that is merely not there is no fault: its place in the answer is empty.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from schema.ports.artifacts import ArtifactStore
from schema.ports.condition import Condition
from schema.ports.lifecycle import LifecycleView
from schema.ports.long_histories import LongHistories
from schema.ports.store_kind import StoreKind
from schema.ports.store_ports import StorePorts
from schema.ports.table import Many, One, Span, Table


@dataclass(frozen=True, slots=True)
class Children:
    """The child runs of a run: the runs of its experiment that name it in the tag `PARENT_TAG`."""

    run_id: str
    experiment_id: str


ExperimentScope: TypeAlias = tuple[str, ...] | None
"""Experiments by id; None stands for all active ones."""

Scope: TypeAlias = ExperimentScope | Children
"""What one page of runs is taken from."""

Position: TypeAlias = list[Any]
"""A place in an ordered search, as the store names it: JSON values, opaque to the graph.

It comes back from the client, who may have changed it: a store checks it and raises `BadUserInput`.
"""

LoggedKind: TypeAlias = Literal["metric", "param", "tag"]
"""What a run has under keys."""

Series: TypeAlias = tuple[str, str]
"""A run id and a metric key."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How to thin a history out: to `most` points, 2 at least, the first and the last always among them.

    `by` says which others: those that keep the look of the curve, the extremes, or some at even distances.
    Points that are not finite are kept as gaps as far as there is room. A history of no more than `most`
    points stays as it is.
    """

    max_points: int
    method: Literal["lttb", "min_max", "every_nth"]


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order. `key` is a column's name where `by` is attribute, else what was logged.

    Text comes by code point. Params and tags that are numbers (`schema.ports.condition.parse_number`) come by
    their
    value, before those that are not. What has no value comes last in both directions, a NaN before that.
    Rows that are level in all keys come by their id.
    """

    by: Literal["attribute", "metric", "param", "tag"]
    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, whatever page of it: MLflow's filter string, a condition, an order and a view.

    Filter and condition must both hold. An empty order is MLflow's own: runs by start time, experiments by
    creation time, newest first. `schema.ports.condition` and `Order` say what holds and what comes first.
    """

    filter: str | None = None
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    view: LifecycleView = LifecycleView.ACTIVE


@dataclass(frozen=True, slots=True)
class GroupBy:
    """One key to group runs by. `key` is a column's name where `by` is attribute, else what was logged."""

    by: Literal["attribute", "param", "tag"]
    key: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """How runs are grouped, and which metrics are summarized; None stands for all, () for none."""

    by: tuple[GroupBy, ...]
    metrics: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of runs, by the values of their keys as an `Order` has them, what has no value last.

    `values` has for each group the value of each key: text, integer milliseconds, float seconds or None.
    `metrics` has for each group, sorted by key, the columns key, count, min, max, mean and stddev: of finite
    values alone, a sample's deviation. Mean and stddev are None where a value is `MAX_SUMMABLE` to be summed.
    """

    values: Sequence[Sequence[Any]]
    counts: Sequence[int]
    metrics: Many


MAX_SUMMABLE = 1e150
"""Squares of more than this may pass what a float holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a search to return: `first` rows behind `after`, and the columns that are needed."""

    first: int
    after: Position | None
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pages:
    """One page for each scope: `rows` holds them all, `spans` says which are whose.

    `position(row)` names the place just behind a row of `rows`, for the page that follows it.
    """

    rows: Table
    spans: Sequence[Span]
    has_next: Sequence[bool]
    position: Callable[[int], Position]


class Tracking(StorePorts, LongHistories, Protocol):
    """A tracking store; `StorePorts` has its ports for models, and `TrackingWithArtifacts` adds artifacts.

    The columns of each table:

    - experiments: experiment_id, name, artifact_location, lifecycle_stage, created_at, updated_at
    - runs: run_id, name, status, lifecycle_stage, user_id, started_at, ended_at, artifact_uri, experiment_id
    - params, tags: key, value
    - metrics: run_id, key, value, non_finite, step, timestamp
    - points: step, timestamp, value, non_finite

    Of experiments and runs only the columns asked for need to be there. A store that reads more in the same
    call anyway may add what else was asked for by name as a `Many`: `tags` on experiments; `params`,
    `metrics`, `tags`, `datasets` on runs. The graph then does not ask again.
    """

    @property
    def kind(self) -> StoreKind:
        """Say which family the store is of."""
        ...

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        ...

    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; None where that passes the scan limit."""
        ...

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up, deleted ones too."""
        ...

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up by their exact names, deleted ones too."""
        ...

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment by key; all of them, or those under the keys given."""
        ...

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        ...

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; None where that passes the scan limit."""
        ...

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs; the search's order is of no use. Without a key there is one group."""
        ...

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the distinct keys that the active runs of each experiment have, sorted by code point."""
        ...

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look runs up, deleted ones too."""
        ...

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run by key; all of them, or those under the keys given."""
        ...

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run by key; all of them, or those under the keys given."""
        ...

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last value of each metric of each run by key; all, or those under the keys given."""
        ...

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        """Return the points of each metric by step and timestamp, both ends of the steps included.

        All points, or of those between the steps a sample.
        """
        ...

    async def ready(self) -> None:
        """Return when the store answers; raise the fault that says why it does not."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads; the store is not used afterwards."""
        ...


class TrackingWithArtifacts(Tracking, Protocol):
    """A tracking store together with the artifacts of its runs and logged models: what the graph reads."""

    @property
    def artifacts(self) -> ArtifactStore:
        """Return the port to the files of runs and logged models."""
        ...
