"""MLflow's filter strings in SQL, compared with MLflow's own results."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, ViewType
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.sql.search_conditions import filter_clauses
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.condition import AllOf, AnyOf, Not, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import LARGEST_FLOAT
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
            client.log_metric(ids[-1], "loss", [0.5, 2.0, float("nan")][number])
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
        value = "1" if key in SearchExperimentsUtils.NUMERIC_ATTRIBUTES else "'x'"
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


def _as_text(value: Any) -> str:
    return str(value)


def _as_number(value: Any) -> int | float:
    """Return a number as MLflow's parser does since 3.17."""
    try:
        return int(value)
    except ValueError:
        return float(value)


@pytest.fixture(params=[_as_text, _as_number])
def number_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make MLflow's parsers return the values of numeric attributes as text, or as numbers."""
    convert: Callable[[Any], Any] = request.param
    # Both parsers before either is replaced: one class inherits from the other.
    parsers = {utils: _parser(utils, convert) for utils in (SearchUtils, SearchExperimentsUtils)}
    for utils, parser in parsers.items():
        monkeypatch.setattr(utils, "parse_search_filter", parser)


def _parser(utils: Any, convert: Callable[[Any], Any]) -> Callable[[str | None], Any]:
    parse = utils.parse_search_filter

    def parse_and_convert(filter_: str | None) -> Any:
        parsed = parse(filter_)
        for comparison in parsed:
            if comparison["type"] == "attribute" and comparison["key"] in utils.NUMERIC_ATTRIBUTES:
                comparison["value"] = convert(comparison["value"])
        return parsed

    return parse_and_convert


@pytest.mark.usefixtures("number_form")
async def test_numeric_attributes_are_compared_as_numbers(tracking: SqlTracking, database: Store) -> None:
    """Times and metrics are compared with any number, also one that a database cannot store."""
    experiment_id, ids = _fill(database.client)
    database.client.log_metric(ids[3], "loss", float("inf"))
    for filter_, expected in {
        "start_time > 1500": [3, 2],
        "start_time <= 1500.5": [1, 0],
        "start_time = 1500": [1],
        "start_time < 99999999999999999999": [3, 2, 1, 0],
        "start_time > 1e400": [],
        "metrics.loss > 1e300": [3],
        "metrics.loss >= 1e400": [3],
        # MLflow stores a NaN as 0 with a flag, and its filter does not look at the flag.
        "metrics.loss < 1e400": [2, 1, 0],
    }.items():
        pages = await tracking.runs([(experiment_id,)], Search(filter=filter_), WHOLE_PAGE)
        assert [ids.index(run_id) for run_id in pages.rows["run_id"]] == expected, filter_
    assert await tracking.count_experiments(Search(filter="creation_time > 0 AND last_update_time > 5")) == 3


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("1500", 1500, 1500),
        ("-1", -1, -1),
        ("1500.5", 1500.5, 1500.5),
        ("1.0", 1.0, 1.0),
        ("9223372036854775807", 2**63 - 1, 2**63 - 1),
        ("9223372036854775808", 2**63, 2.0**63),
        ("-9223372036854775809", -(2**63) - 1, -(2.0**63)),
        ("1e400", math.inf, LARGEST_FLOAT),
        ("-1e400", -math.inf, -LARGEST_FLOAT),
        ("1" + "0" * 400, 10**400, LARGEST_FLOAT),
    ],
)
def test_numeric_value_has_one_meaning_as_text_and_as_number(
    text: str, number: float, expected: float
) -> None:
    """A value becomes the same number of the same type, whether MLflow's parser returns text or a number."""

    def converted(value: Any) -> Any:
        comparison = {"type": "attribute", "key": "start_time", "comparator": ">", "value": value}
        (result,) = filter_clauses("start_time > 1", lambda _: [comparison], lambda parsed: parsed)
        return result["value"]

    for value in (text, number):
        assert converted(value) == expected
        assert type(converted(value)) is type(expected)
