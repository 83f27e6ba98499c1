"""The port: what the graph asks of a tracking store, and the plain records that it asks with.

Each method takes many keys and answers for all of them at once, so that a nested query costs a number
of store calls that depends on its depth and not on how many experiments or runs it touches. Answers
come as columns (`schema.table`), in the order of the keys asked for. Times are integer milliseconds
since 1970 in UTC, ids are opaque strings, and a metric value that is not finite is None in `value`
with `NAN`, `POSITIVE_INFINITY` or `NEGATIVE_INFINITY` in `non_finite`.

Expected faults are raised as `schema.errors.Fault`. An id in a form that the store cannot have is
`BadUserInput`; an id that is merely not there is no fault: its place in the answer is empty.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from schema.lifecycle import LifecycleView
from schema.store_kind import StoreKind
from schema.table import Many, One, Span, Table

Scope: TypeAlias = tuple[str, ...] | None
"""The experiments that one page of runs is taken from, by id; None stands for all active ones."""

Position: TypeAlias = list[Any]
"""A place in an ordered search, as the store names it: JSON values, opaque to the graph.

It comes back from the client, who may have changed it: a store checks it and raises `BadUserInput`.
"""

Series: TypeAlias = tuple[str, str]
"""A run id and a metric key."""


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order. `key` is a column's name where `by` is attribute, else what was logged."""

    by: Literal["attribute", "metric", "param", "tag"]
    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, whatever page of it: MLflow's filter string, an order and a view.

    An empty order is MLflow's own: runs by start time, experiments by creation time, newest first.
    """

    filter: str | None = None
    order: tuple[Order, ...] = ()
    view: LifecycleView = LifecycleView.ACTIVE


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


class Tracking(Protocol):
    """A tracking store.

    The columns of each table:

    - experiments: experiment_id, name, artifact_location, lifecycle_stage, created_at, updated_at
    - runs: run_id, name, status, lifecycle_stage, user_id, started_at, ended_at, artifact_uri, experiment_id
    - params, tags: key, value
    - metrics: run_id, key, value, non_finite, step, timestamp
    - points: step, timestamp, value, non_finite

    Of experiments and runs only the columns asked for need to be there. A store that reads more in the same
    call anyway may add what else was asked for by name as a `Many`: `tags` on experiments; `params`,
    `metrics`, `tags` on runs. The graph then does not ask again.
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

    async def histories(self, series: Sequence[Series], from_step: int | None, to_step: int | None) -> Many:
        """Return the points of each metric by step and timestamp, both ends of the steps included."""
        ...

    async def ready(self) -> None:
        """Return when the store answers; raise the fault that says why it does not."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads; the store is not used afterwards."""
        ...
