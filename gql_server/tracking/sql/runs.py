"""Runs: searched in many scopes at once, counted and looked up."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from gql_server.tracking.sql.dialect import among, batches
from gql_server.tracking.sql.order import run_ordering
from gql_server.tracking.sql.pages import as_pages, as_table, selected
from gql_server.tracking.sql.reading import Reading, Row
from gql_server.tracking.sql.search import experiment_numbers, in_scope, matching_runs, run_in_workspace
from gql_server.tracking.sql.tables import RUN_COLUMNS, RUNS
from schema.table import One
from schema.tracking import Page, Pages, Scope, Search

_MOST_BRANCHES: Final = 50
"""How many scopes are searched by one statement where each is a SELECT of its own."""


class RunSearch:
    """One search for runs in several scopes; `indexed` says that an index has them by start."""

    def __init__(self, dialect: str, search: Search, workspace: str | None, *, indexed: bool) -> None:
        self._dialect = dialect
        self._workspace = workspace
        self._indexed = indexed
        self._ordering = run_ordering(dialect, search.order)
        self._conditions = matching_runs(dialect, search.filter, search.view)

    def pages(self, reading: Reading, scopes: Sequence[Scope], page: Page) -> Pages:
        """Return the first runs of each scope."""
        names, columns = selected(RUN_COLUMNS, page.columns, self._ordering)
        conditions = list(self._conditions)
        if page.after is not None:
            conditions.append(self._ordering.behind(page.after))
        statement = select(*columns).select_from(self._ordering.join(RUNS)).where(*conditions)
        distinct = list(dict.fromkeys(scopes))
        if len(distinct) > 1 and all(map(_single, distinct)) and not self._served_by_index():
            groups = self._numbered(reading, statement, distinct, page.first + 1)
        else:
            groups = self._each(reading, statement, distinct, page.first + 1)
        return as_pages(self._ordering, names, [groups.get(scope, []) for scope in scopes], page.first)

    def counts(self, reading: Reading, scopes: Sequence[Scope]) -> list[int]:
        """Count the runs of each scope."""
        distinct = list(dict.fromkeys(scopes))
        if distinct and all(map(_single, distinct)):
            found = self._grouped_counts(reading, distinct)
        else:
            found = {scope: self._count(reading, scope) for scope in distinct}
        return [found.get(scope, 0) for scope in scopes]

    def _served_by_index(self) -> bool:
        return self._indexed and self._ordering.by_start

    def _each(
        self, reading: Reading, statement: Select[Any], scopes: Sequence[Scope], most: int
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

    def _branch(self, statement: Select[Any], scope: Scope, place: int, most: int) -> Select[Any]:
        numbered = statement.add_columns(literal(place).label("place"))
        within = in_scope(self._dialect, scope, self._workspace)
        return numbered.where(*within).order_by(*self._ordering.sorting()).limit(most)

    def _numbered(
        self, reading: Reading, statement: Select[Any], scopes: Sequence[Scope], most: int
    ) -> dict[Scope, list[Row]]:
        """Search all scopes in one pass, and number the runs of each experiment."""
        experiment = RUNS.c.experiment_id
        place = func.row_number().over(partition_by=experiment, order_by=self._ordering.sorting())
        numbered = statement.add_columns(experiment.label("scope"), place.label("place"))
        found = numbered.where(*self._in_any(scopes)).subquery()
        rows = reading.rows(select(found).where(found.c.place <= most))
        rows.sort(key=itemgetter(-1))
        groups: dict[Scope, list[Row]] = {}
        for row in rows:
            groups.setdefault((str(row[-2]),), []).append(row)
        return groups

    def _grouped_counts(self, reading: Reading, scopes: Sequence[Scope]) -> dict[Scope, int]:
        experiment = RUNS.c.experiment_id
        statement = select(experiment, func.count()).where(*self._conditions, *self._in_any(scopes))
        return {(str(id_),): int(count) for id_, count in reading.rows(statement.group_by(experiment))}

    def _count(self, reading: Reading, scope: Scope) -> int:
        within = in_scope(self._dialect, scope, self._workspace)
        statement = select(func.count()).select_from(RUNS).where(*self._conditions, *within)
        ((count,),) = reading.rows(statement)
        return int(count)

    def _in_any(self, scopes: Sequence[Scope]) -> Sequence[ColumnElement[bool]]:
        ids = tuple(experiment_id for scope in scopes for experiment_id in scope or ())
        return [
            among(self._dialect, RUNS.c.experiment_id, experiment_numbers(ids)),
            *run_in_workspace(self._workspace),
        ]


def runs_by_id(reading: Reading, ids: Sequence[str], columns: Collection[str], workspace: str | None) -> One:
    """Look runs up, deleted ones too."""
    wanted = [name for name in RUN_COLUMNS if name in columns]
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(ids)):
        statement = select(*(RUN_COLUMNS[name] for name in wanted), RUNS.c.run_uuid.label("asked"))
        conditions = [among(reading.dialect, RUNS.c.run_uuid, batch), *run_in_workspace(workspace)]
        rows += reading.rows(statement.where(*conditions))
    places: Mapping[str, int] = {row[-1]: place for place, row in enumerate(rows)}
    return One(as_table(wanted, rows), [places.get(run_id) for run_id in ids])


def _single(scope: Scope) -> bool:
    return scope is not None and len(scope) == 1
