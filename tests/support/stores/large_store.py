"""A large store, made by its database: many runs, with params, tags, metrics and long histories."""

from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, text

from tests.support.stores.sql_rows import insert_experiment


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a store. Its runs are all in experiment 1."""

    runs: int
    keys: int
    """Params, tags and metrics of each run: `k0`, `k1` and so on."""
    histories: int
    """Runs whose metrics have points."""
    points: int
    """Points of each of these metrics."""
    long_points: int
    """Points of the metric `long` of the first run."""


_PAIR = "{id}, 'k' || k, 'value ' || n || ' of ' || k FROM {runs}, {keys}"
_LAST = "(run_uuid, key, value, timestamp, step, is_nan)"
_ROWS = {
    "runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id)": (
        "{id}, 'run ' || n, 'FINISHED', n * 1000, n * 1000 + 500, 'active', 1 FROM {runs}",
    ),
    "params (run_uuid, key, value)": (_PAIR,),
    "tags (run_uuid, key, value)": (_PAIR,),
    f"latest_metrics {_LAST}": (
        "{id}, 'k' || k, n / 7.0, 1000, {points} - 1, {false} FROM {runs}, {keys}",
        "{id}, 'long', 0.5, 1000, {long_points} - 1, {false} FROM {first_run}",
    ),
    f"metrics {_LAST}": (
        "{id}, 'k' || k, p / 7.0, p, p, {false} FROM {histories}, {keys}, {steps}",
        "{id}, 'long', p / 7.0, p, p, {false} FROM {first_run}, {long_steps}",
    ),
}
"""Of each table and its columns, what is selected from series of numbers."""


def fill(uri: str, size: Size) -> None:
    """Insert the rows of a store that has MLflow's tables and no experiment 1."""
    engine = create_engine(uri)
    insert_experiment(engine, 1)
    with engine.begin() as connection:
        _insert(connection, size)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def run_id(number: int) -> str:
    """Return the id of a run, counted from 0."""
    return f"{number:032d}"


def _insert(connection: Connection, size: Size) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    series = _sqlite_series if is_sqlite else _postgres_series
    parts = {
        "id": "printf('%032d', n)" if is_sqlite else "lpad(CAST(n AS TEXT), 32, '0')",
        "false": "0" if is_sqlite else "false",
        "runs": series(size.runs, "n"),
        "histories": series(size.histories, "n"),
        "first_run": series(1, "n"),
        "keys": series(size.keys, "k"),
        "steps": series(size.points, "p"),
        "long_steps": series(size.long_points, "p"),
        "points": size.points,
        "long_points": size.long_points,
    }
    for table, selections in _ROWS.items():
        for selection in selections:
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT {selection.format(**parts)}")


def _sqlite_series(count: int, name: str) -> str:
    rows = f"SELECT 0 UNION ALL SELECT {name} + 1 FROM series WHERE {name} < {count - 1}"  # noqa: S608 - fixed
    return f"(WITH RECURSIVE series({name}) AS ({rows}) SELECT {name} FROM series) AS of_{name}"  # noqa: S608


def _postgres_series(count: int, name: str) -> str:
    return f"generate_series(0, {count - 1}) AS of_{name}({name})"
