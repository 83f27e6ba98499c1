"""MLflow's filter strings in SQL, compared with MLflow's own results."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, ViewType
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.condition import AllOf, AnyOf, Not, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Search
from tests.support.stores.sql_rows import WHOLE_PAGE
from tests.support.stores.store import Store

_RUN_FILTERS = [
    "metrics.loss < 1",
    "metrics.loss != 0.5",
    "metrics.`other loss` >= 2 and params.opt = 'Adam'",
    "params.opt != 'Adam'",
    "params.opt LIKE 'A%'",
    "params.opt ILIKE 'a%'",
    "params.opt IS NULL",
    "params.opt IS NOT NULL AND tags.team = 'vision'",
    "tags.team = 'vision'",
    "tags.team != 'vision'",
    "tags.`o clock` = 'x'",
    "status = 'RUNNING'",
    "attributes.status != 'RUNNING'",
    "run_name = 'r1'",
    "run_name LIKE 'R%'",
    "user_id = 'me'",
    "artifact_uri ILIKE '%ARTIFACTS'",
    "run_id IN ('{0}', '{2}')",
    "run_id NOT IN ('{0}')",
    "dataset.name = 'digits'",
    "dataset.digest LIKE 'abc%'",
    "dataset.context = 'train'",
    "dataset.name = 'digits' AND dataset.context = 'test'",
    "dataset.digest IN ('abcd', 'x')",
    "datasets.name NOT IN ('digits')",
    "user_id != 'nobody'",
    "artifact_uri LIKE '%\\\\%'",
    "tags.team LIKE 'V_____'",
    "tags.team = 'vision' params.opt = 'Adam'",
    "tags.nothing IS NULL",
]
_EXPERIMENT_FILTERS = [
    "name = 'sweep 1'",
    "name LIKE 'Sweep%'",
    "name ILIKE 'Sweep%'",
    "name != 'sweep 1'",
    "tags.team = 'vision'",
    "tags.team != 'vision'",
    "tags.team IS NULL",
]


def _fill(client: MlflowClient) -> tuple[str, list[str]]:
    experiment_id = client.create_experiment("sweep 1", tags={"team": "vision"})
    client.create_experiment("Sweep 2", tags={"team": "Vision"})
    ids = []
    for number, opt in enumerate(["Adam", "adam", "sgd", None]):
        run = client.create_run(experiment_id, start_time=1000 * number + 500, run_name=f"r{number}")
        ids.append(run.info.run_id)
        if opt:
            client.log_param(ids[-1], "opt", opt)
            if number < 2:
                client.log_metric(ids[-1], "loss", [0.5, 2.0][number])
            client.log_metric(ids[-1], "other loss", float(number + 1))
        client.set_tag(ids[-1], "team", ["vision", "Vision", "text", "vision"][number])
        client.set_tag(ids[-1], "o clock", "x")
    client.set_terminated(ids[0])
    digits = Dataset(name="digits", digest="abcd", source_type="local", source="here")
    tags = [InputTag("mlflow.data.context", "train")], [InputTag("mlflow.data.context", "test")]
    client.log_inputs(ids[0], [DatasetInput(digits, tags[0])])
    client.log_inputs(ids[1], [DatasetInput(digits, tags[1])])
    other = Dataset(name="digits", digest="abce", source_type="local", source="there")
    client.log_inputs(ids[0], [DatasetInput(other, tags[0])])
    return experiment_id, ids


async def test_run_filters_match_mlflow(
    tracking: SqlTracking, database: Store, statements: list[str]
) -> None:
    """A filter is part of the one statement, and matches the same runs, each once."""
    experiment_id, ids = _fill(database.client)
    await tracking.runs([(experiment_id,)], Search(), WHOLE_PAGE)
    for template in _RUN_FILTERS:
        filter_ = template.format(*ids)
        expected = database.client.search_runs([experiment_id], filter_)
        await tracking.ready()
        statements.clear()
        pages = await tracking.runs([(experiment_id,)], Search(filter=filter_), WHOLE_PAGE)
        assert len(statements) == 1
        assert list(pages.rows["run_id"]) == [run.info.run_id for run in expected], filter_
        assert await tracking.count_runs([(experiment_id,)], Search(filter=filter_)) == [len(expected)]
        several = await tracking.runs([(experiment_id,), ("0",)], Search(filter=filter_), WHOLE_PAGE)
        assert list(several.rows["run_id"]) == [run.info.run_id for run in expected], filter_


async def test_condition_takes_no_further_statement(
    tracking: SqlTracking, database: Store, statements: list[str]
) -> None:
    """With a condition, a filter and an order, a page of runs takes one statement."""
    experiment_id, ids = _fill(database.client)
    where = AllOf(
        (
            AnyOf((Predicate("param", "opt", "ilike", "a%"), Predicate("tag", "team", "gt", 3.0))),
            Not(Predicate("metric", "loss", "is_null", value=True)),
            Predicate("attribute", "parent_run_id", "is_null", value=True),
            Predicate("attribute", "started_at", "gte", 500),
        )
    )
    order = (Order("param", "opt"), Order("attribute", "duration"))
    await tracking.runs([(experiment_id,)], Search(), WHOLE_PAGE)
    await tracking.ready()
    statements.clear()
    search = Search(filter="tags.team ILIKE 'vision'", where=where, order=order)
    pages = await tracking.runs([(experiment_id,)], search, WHOLE_PAGE)
    assert len(statements) == 1
    assert list(pages.rows["run_id"]) == ids[:2]


async def test_duration_is_exact_for_current_times(tracking: SqlTracking, database: Store) -> None:
    """Durations are compared to the millisecond, although times count from 1970."""
    experiment_id = database.client.create_experiment("today")
    ids = []
    for took in (0, 1, 60_000):
        ids.append(database.client.create_run(experiment_id, start_time=1_760_000_000_007).info.run_id)
        database.client.set_terminated(ids[-1], end_time=1_760_000_000_007 + took)
    for operator, seconds, expected in (
        ("eq", 0.0, ids[:1]),
        ("eq", 0.001, ids[1:2]),
        ("eq", 60.0, ids[2:]),
        ("gt", 0.0005, ids[1:]),
        ("lte", 59.999, ids[:2]),
    ):
        where = Predicate("attribute", "duration_seconds", operator, seconds)  # type: ignore[arg-type]
        pages = await tracking.runs([(experiment_id,)], Search(where=where), WHOLE_PAGE)
        assert set(pages.rows["run_id"]) == set(expected), (operator, seconds)


async def test_experiment_filters_match_mlflow(tracking: SqlTracking, database: Store) -> None:
    """A filter of experiments matches the same experiments in the same order."""
    _fill(database.client)
    for filter_ in _EXPERIMENT_FILTERS:
        expected = database.client.search_experiments(ViewType.ACTIVE_ONLY, filter_string=filter_)
        pages = await tracking.experiments(Search(filter=filter_), WHOLE_PAGE)
        assert list(pages.rows["name"]) == [known.name for known in expected], filter_
        assert await tracking.count_experiments(Search(filter=filter_)) == len(expected)


async def test_each_attribute_can_be_filtered(tracking: SqlTracking) -> None:
    """The column of each attribute that MLflow can search by is in this server's tables."""
    for key in SearchUtils.VALID_SEARCH_ATTRIBUTE_KEYS:
        value = "1" if key in SearchUtils.NUMERIC_ATTRIBUTES else "'x'"
        for operator in ("=", "!="):
            search = Search(filter=f"attributes.`{key}` {operator} {value}")
            assert await tracking.count_runs([None], search) == [0]
    for key in SearchExperimentsUtils.VALID_SEARCH_ATTRIBUTE_KEYS:
        # An id must be a number, in quotes.
        value = "1" if key in SearchExperimentsUtils.NUMERIC_ATTRIBUTES else "'1'"
        assert await tracking.count_experiments(Search(filter=f"{key} = {value}")) == 0


_REFUSED = [
    "metrics.loss <",
    "metrics.loss < 'a'",
    "nothing = 1",
    "params.a = 'b' OR params.a = 'c'",
    "params.a IN ('b')",
    "status = 'RUNNING",
    "metrics.loss RLIKE 'a'",
    "run_id IN ()",
    "run_id IN (a)",
    "run_id IN ('a', 1)",
    "start_time > 'x'",
    "dataset.nothing = 'a'",
    "((((",
    "(" * 5000,
    "run_id = ('a')",
    "run_id IN ('a', 1)",
    "status == 'x'",
    "status NOT LIKE 'x'",
    "tags.a = '\x00'",
    "tags.a = '\ud800'",
    "IN IN IN",
    "params.a LIKE",
    ";",
    "a = 1; DROP TABLE runs",
]


async def test_refused_filter_raises_bad_user_input(tracking: SqlTracking) -> None:
    """A filter that MLflow refuses raises MLflow's message, without SQL."""
    for filter_ in _REFUSED:
        search = Search(filter=filter_)
        with pytest.raises(BadUserInput) as of_runs:
            await tracking.runs([None], search, WHOLE_PAGE)
        with pytest.raises(BadUserInput) as of_experiments:
            await tracking.experiments(search, WHOLE_PAGE)
        assert "SELECT" not in f"{of_runs.value}{of_experiments.value}"


async def _matching_runs(
    tracking: SqlTracking, experiment_id: str, filter_: str, ids: list[str]
) -> list[int]:
    """Return the indexes of the runs that match, the latest start first."""
    pages = await tracking.runs([(experiment_id,)], Search(filter=filter_), WHOLE_PAGE)
    return [ids.index(run_id) for run_id in pages.rows["run_id"]]


async def test_numeric_attributes_are_compared_as_numbers(tracking: SqlTracking, database: Store) -> None:
    """Times and metrics are compared with any number, also one that a database cannot store."""
    experiment_id, ids = _fill(database.client)
    database.client.log_metric(ids[3], "loss", float("inf"))
    for filter_, expected in {
        "start_time > 1500": [3, 2],
        "start_time <= 1500.5": [1, 0],
        "start_time = 1500.0": [1],
        "start_time < 99999999999999999999": [3, 2, 1, 0],
        f"start_time < {'9' * 5000}": [3, 2, 1, 0],
        "start_time < 1e400": [3, 2, 1, 0],
        "start_time > -1e400": [3, 2, 1, 0],
        "start_time > 1e400": [],
        "end_time < 1e400": [0],
        "metrics.loss > 1e300": [3],
        "metrics.loss >= 1e400": [3],
        "metrics.loss < 1e400": [1, 0],
    }.items():
        assert await _matching_runs(tracking, experiment_id, filter_, ids) == expected, filter_
    for filter_ in ("creation_time > 0 AND last_update_time > 5", "creation_time < 1e400"):
        assert await tracking.count_experiments(Search(filter=filter_)) == 3


async def test_nan_is_only_unequal(tracking: SqlTracking, database: Store) -> None:
    """A NaN matches != and no other comparison, although databases store it as 0."""
    experiment_id, ids = _fill(database.client)
    database.client.log_metric(ids[2], "loss", float("nan"))
    for filter_, expected in {
        "metrics.loss != 0": [2, 1, 0],
        "metrics.loss != 0.5": [2, 1],
        "metrics.loss = 0": [],
        "metrics.loss < 1": [0],
        "metrics.loss >= 0": [1, 0],
    }.items():
        assert await _matching_runs(tracking, experiment_id, filter_, ids) == expected, filter_


async def test_experiments_are_found_by_id(tracking: SqlTracking, database: Store) -> None:
    """Ids of experiments are compared for equality and in lists, as in MLflow since 3.17."""
    experiment_id, _ = _fill(database.client)
    for filter_, count in {
        f"experiment_id = '{experiment_id}'": 1,
        f"experiment_id != '{experiment_id}'": 2,
        f"experiment_id IN ('{experiment_id}', '0', '99999999999')": 2,
        f"attribute.experiment_id NOT IN ('{experiment_id}', '0')": 1,
    }.items():
        assert await tracking.count_experiments(Search(filter=filter_)) == count, filter_
