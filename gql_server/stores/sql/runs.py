"""Runs: searched in many scopes at once, counted and looked up."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, func, literal, select, union_all

from gql_server.stores.sql.dialect import among, batches
from gql_server.stores.sql.order import run_ordering
from gql_server.stores.sql.pages import as_pages, as_table, selected
from gql_server.stores.sql.partitions import Partition, by_experiment, by_parent
from gql_server.stores.sql.search_conditions import in_scope, matching_runs, run_in_workspace
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import RUN_COLUMNS, RUNS
from gql_server.stores.sql.top_per_group import first_of_each
from schema.ports.table import One
from schema.ports.tracking import Children, ExperimentScope, Page, Pages, Scope, Search

_MOST_BRANCHES: Final = 50
"""How many scopes are searched by one statement where each is a SELECT of its own."""


class RunSearch:
    """One search for runs in several scopes; `indexed` says that an index has them by start."""

    def __init__(self, dialect: str, search: Search, workspace: str | None, *, indexed: bool) -> None:
        self._dialect = dialect
        self._workspace = workspace
        self._indexed = indexed
        self._ordering = run_ordering(dialect, search.order)
        self._conditions = matching_runs(dialect, search)

    def pages(self, reading: Session, scopes: Sequence[Scope], page: Page) -> Pages:
        """Return the first runs of each scope."""
        names, columns = selected(RUN_COLUMNS, page.columns, self._ordering)
        conditions = list(self._conditions)
        if page.after is not None:
            conditions.append(self._ordering.behind(page.after))
        statement = select(*columns).select_from(self._ordering.join(RUNS)).where(*conditions)
        groups: dict[Scope, list[Row]] = {}
        children, others = _apart(scopes)
        if children:
            parting = by_parent(self._dialect, children, self._workspace)
            groups |= self._numbered(reading, statement, parting, page.first + 1)
        ids = _single(others)
        if ids is None or len(ids) <= 1 or (self._indexed and self._ordering.by_start):
            groups |= self._each(reading, statement, others, page.first + 1)
        else:
            parting = by_experiment(self._dialect, ids, self._workspace)
            groups |= self._numbered(reading, statement, parting, page.first + 1)
        return as_pages(self._ordering, names, [groups.get(scope, []) for scope in scopes], page.first)

    def counts(self, reading: Session, scopes: Sequence[Scope]) -> list[int]:
        """Count the runs of each scope."""
        children, others = _apart(scopes)
        found: dict[Scope, int] = {}
        if children:
            parting = by_parent(self._dialect, children, self._workspace)
            found |= self._grouped_counts(reading, parting)
        ids = _single(others)
        if ids is None:
            found |= {scope: self._count(reading, scope) for scope in others}
        elif ids:
            parting = by_experiment(self._dialect, ids, self._workspace)
            found |= self._grouped_counts(reading, parting)
        return [found.get(scope, 0) for scope in scopes]

    def _each(
        self, reading: Session, statement: Select[Any], scopes: Sequence[ExperimentScope], most: int
    ) -> dict[Scope, list[Row]]:
        """Search each scope by a SELECT of its own, which can stop early where an index has the order."""
        groups: dict[Scope, list[Row]] = {}
        for start in range(0, len(scopes), _MOST_BRANCHES):
            some = scopes[start : start + _MOST_BRANCHES]
            branches = [self._branch(statement, scope, place, most) for place, scope in enumerate(some)]
            whole = branches[0] if len(some) == 1 else union_all(*(select(b.subquery()) for b in branches))
            for row in reading.rows(whole):
                groups.setdefault(some[row[-1]], []).append(row[:-1])
        return groups

    def _branch(self, statement: Select[Any], scope: ExperimentScope, place: int, most: int) -> Select[Any]:
        numbered = statement.add_columns(literal(place).label("place"))
        within = in_scope(self._dialect, scope, self._workspace)
        return numbered.where(*within).order_by(*self._ordering.sorting()).limit(most)

    def _numbered(
        self, reading: Session, statement: Select[Any], parting: Partition, most: int
    ) -> dict[Scope, list[Row]]:
        """Search all scopes in one pass, and number the runs of each."""
        within = parting.join(statement).where(*parting.within)
        groups = first_of_each(reading, within, parting.apart, parting.labels, self._ordering, most)
        return {parting.scope(labels): rows for labels, rows in groups.items()}

    def _grouped_counts(self, reading: Session, parting: Partition) -> dict[Scope, int]:
        # The least of texts that are the same to the letter is that text.
        labels = [func.min(column) for column in parting.labels]
        statement = parting.join(select(*labels, func.count()).select_from(RUNS))
        grouped = statement.where(*self._conditions, *parting.within).group_by(*parting.apart)
        return {parting.scope(row[:-1]): int(row[-1]) for row in reading.rows(grouped)}

    def _count(self, reading: Session, scope: ExperimentScope) -> int:
        within = in_scope(self._dialect, scope, self._workspace)
        statement = select(func.count()).select_from(RUNS).where(*self._conditions, *within)
        ((count,),) = reading.rows(statement)
        return int(count)


def runs_by_id(reading: Session, ids: Sequence[str], columns: Collection[str], workspace: str | None) -> One:
    """Look runs up, deleted ones too."""
    wanted = [name for name in RUN_COLUMNS if name in columns]
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(ids)):
        statement = select(*(RUN_COLUMNS[name] for name in wanted), RUNS.c.run_uuid.label("asked"))
        conditions = [among(reading.dialect, RUNS.c.run_uuid, batch), *run_in_workspace(workspace)]
        rows += reading.rows(statement.where(*conditions))
    places: Mapping[str, int] = {row[-1]: place for place, row in enumerate(rows)}
    return One(as_table(wanted, rows), [places.get(run_id) for run_id in ids])


def _apart(scopes: Sequence[Scope]) -> tuple[list[Children], list[ExperimentScope]]:
    distinct = list(dict.fromkeys(scopes))
    return (
        [scope for scope in distinct if isinstance(scope, Children)],
        [scope for scope in distinct if not isinstance(scope, Children)],
    )


def _single(scopes: Sequence[ExperimentScope]) -> list[str] | None:
    """Return the experiments where each scope is one alone, so that a run is of one scope at the most."""
    ids = [scope[0] for scope in scopes if scope is not None and len(scope) == 1]
    return ids if len(ids) == len(scopes) else None
