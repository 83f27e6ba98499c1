"""Runs: searched in many scopes at once, counted and looked up."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, func, literal, select, union_all

from gql_server.stores.sql.order import SqlOrder, run_order
from gql_server.stores.sql.pages import as_pages, as_table, select_list
from gql_server.stores.sql.partitions import Partition, by_experiment, by_parent
from gql_server.stores.sql.prepared_statement import PreparedStatement
from gql_server.stores.sql.related_lists import RelatedLists
from gql_server.stores.sql.search_conditions import (
    Conditions,
    experiment_numbers,
    in_scope,
    matching_runs,
    run_in_workspace,
)
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.short_reads import SHORT
from gql_server.stores.sql.tables import RUN_COLUMNS, RUNS
from gql_server.stores.sql.top_per_group import top_per_group
from schema.ports.table import One
from schema.ports.tracking import Children, ExperimentScope, Page, Pages, Scope, Search

_MAX_BRANCHES: Final = 50
"""The number of scopes that one statement searches, if each has a separate SELECT."""


class RunSearch:
    """One search for runs in several scopes.

    `has_start_index` specifies that the table has an index by experiment and start.
    """

    def __init__(self, session: Session, search: Search, *, has_start_index: bool) -> None:
        self._session = session
        self._search = search
        self._has_start_index = has_start_index

    @cached_property
    def _order(self) -> SqlOrder:
        return run_order(self._session.dialect, self._search.order)

    @cached_property
    def _conditions(self) -> Conditions:
        return matching_runs(self._session, self._search)

    def pages(self, scopes: Sequence[Scope], page: Page) -> Pages:
        """Return the first runs of each scope."""
        if len(scopes) == 1 and not isinstance(scopes[0], Children) and page.after is None:
            return self._first_page(scopes[0], page)
        related = RelatedLists(self._session, page.columns, merge=False)
        names, columns = select_list(RUN_COLUMNS, page.columns, self._order)
        conditions = list(self._conditions)
        if page.after is not None:
            conditions.append(self._order.after(page.after))
        statement = select(*columns).select_from(self._order.join(RUNS)).where(*conditions)
        groups: dict[Scope, list[Row]] = {}
        children, others = _split(scopes)
        if children:
            partition = by_parent(self._session, children)
            groups |= self._by_partition(statement, partition, page.first + 1)
        ids = _single_experiments(others)
        if ids is None or len(ids) <= 1 or (self._has_start_index and self._order.by_start):
            groups |= self._by_branch(statement, others, page.first + 1)
        else:
            partition = by_experiment(self._session, ids)
            groups |= self._by_partition(statement, partition, page.first + 1)
        found = [groups.get(scope, []) for scope in scopes]
        return as_pages(self._order, names, found, page.first, related)

    def _first_page(self, scope: ExperimentScope, page: Page) -> Pages:
        """Return the first page of one scope, by a statement that is prepared once for each selection."""
        session = self._session
        related = RelatedLists(session, page.columns, merge=page.first <= SHORT)
        numbers = experiment_numbers(scope or ())
        is_one = scope is not None and len(numbers) == 1

        def prepare() -> tuple[PreparedStatement, SqlOrder, list[str]]:
            names, columns = select_list(RUN_COLUMNS, page.columns, self._order, related.columns())
            in_scope_ = (
                [RUNS.c.experiment_id == bindparam("experiment", None, Integer), *run_in_workspace(session)]
                if is_one
                else in_scope(session, scope)
            )
            statement = select(*columns).select_from(self._order.join(RUNS))
            statement = statement.where(*self._conditions, *in_scope_).order_by(*self._order.order_by())
            return session.prepare(statement.limit(page.first + 1)), self._order, names

        columns_key = tuple(sorted(page.columns.intersection(RUN_COLUMNS)))
        scope_key = "one experiment" if is_one else scope
        key = ("runs", self._search, scope_key, page.first, columns_key, related.key, session.workspace)
        statement, order, names = session.keep(key, prepare)
        experiment = {"experiment": numbers[0]} if is_one else {}
        rows = session.rows(statement, {**experiment, **related.values()})
        return as_pages(order, names, [rows], page.first, related)

    def counts(self, scopes: Sequence[Scope]) -> list[int]:
        """Count the runs of each scope."""
        children, others = _split(scopes)
        counts: dict[Scope, int] = {}
        if children:
            counts |= self._partition_counts(by_parent(self._session, children))
        ids = _single_experiments(others)
        if ids is None:
            counts |= {scope: self._count(scope) for scope in others}
        elif ids:
            counts |= self._partition_counts(by_experiment(self._session, ids))
        return [counts.get(scope, 0) for scope in scopes]

    def _by_branch(
        self, statement: Select[Any], scopes: Sequence[ExperimentScope], limit: int
    ) -> dict[Scope, list[Row]]:
        """Search each scope by a separate SELECT, which can stop early if an index has the order."""
        groups: dict[Scope, list[Row]] = {}
        for start in range(0, len(scopes), _MAX_BRANCHES):
            batch = scopes[start : start + _MAX_BRANCHES]
            branches = [self._branch(statement, scope, index, limit) for index, scope in enumerate(batch)]
            union = branches[0] if len(batch) == 1 else union_all(*(select(b.subquery()) for b in branches))
            for row in self._session.rows(union):
                groups.setdefault(batch[row[-1]], []).append(row[:-1])
        return groups

    def _branch(self, statement: Select[Any], scope: ExperimentScope, index: int, limit: int) -> Select[Any]:
        labelled = statement.add_columns(literal(index).label("scope_index"))
        conditions = in_scope(self._session, scope)
        return labelled.where(*conditions).order_by(*self._order.order_by()).limit(limit)

    def _by_partition(
        self, statement: Select[Any], partition: Partition, limit: int
    ) -> dict[Scope, list[Row]]:
        """Search all scopes in one pass, in which the database numbers the runs of each."""
        joined = partition.join(statement).where(*partition.conditions)
        groups = top_per_group(
            self._session, joined, partition.group_by, partition.labels, self._order, limit
        )
        return {partition.scope(labels): rows for labels, rows in groups.items()}

    def _partition_counts(self, partition: Partition) -> dict[Scope, int]:
        # Texts that are equal by code point have their minimum as their only value.
        labels = [func.min(column) for column in partition.labels]
        statement = partition.join(select(*labels, func.count()).select_from(RUNS))
        conditions = (*self._conditions, *partition.conditions)
        grouped = statement.where(*conditions).group_by(*partition.group_by)
        return {partition.scope(row[:-1]): int(row[-1]) for row in self._session.rows(grouped)}

    def _count(self, scope: ExperimentScope) -> int:
        conditions = (*self._conditions, *in_scope(self._session, scope))
        ((count,),) = self._session.rows(select(func.count()).select_from(RUNS).where(*conditions))
        return int(count)


def runs_by_id(session: Session, ids: Sequence[str], columns: Collection[str]) -> One:
    """Look up runs by id, deleted runs included."""
    names = [name for name in RUN_COLUMNS if name in columns]
    related = RelatedLists(session, columns, merge=len(ids) <= SHORT)

    def prepare() -> PreparedStatement:
        selected = (*(RUN_COLUMNS[name] for name in names), RUNS.c.run_uuid, *related.columns())
        listed = session.dialect.one_of_named(RUNS.c.run_uuid, "run_ids")
        labelled = [column.label(f"c{index}") for index, column in enumerate(selected)]
        return session.prepare(select(*labelled).where(listed, *run_in_workspace(session)))

    key = ("runs by id", *names, related.key, session.workspace)
    statement = session.keep(key, prepare)
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(ids)):
        values = {"run_ids": session.dialect.list_value(batch), **related.values()}
        rows += session.rows(statement, values)
    indexes = {row[len(names)]: index for index, row in enumerate(rows)}
    table = as_table(names, rows, related.read(rows, id_column=len(names)))
    return One(table, [indexes.get(run_id) for run_id in ids])


def _split(scopes: Sequence[Scope]) -> tuple[list[Children], list[ExperimentScope]]:
    distinct = list(dict.fromkeys(scopes))
    return (
        [scope for scope in distinct if isinstance(scope, Children)],
        [scope for scope in distinct if not isinstance(scope, Children)],
    )


def _single_experiments(scopes: Sequence[ExperimentScope]) -> list[str] | None:
    """Return the experiments if each scope is one experiment, so that a run is in one scope at most."""
    ids = [scope[0] for scope in scopes if scope is not None and len(scope) == 1]
    return ids if len(ids) == len(scopes) else None
