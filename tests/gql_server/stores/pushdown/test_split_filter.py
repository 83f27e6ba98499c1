"""What of a filter string helps a store, and what this server tests."""

import pytest

from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.plan import plan_experiments, plan_runs
from schema.ports.condition import AllOf, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Search

SERVER = capabilities_of(StoreKind.MLFLOW_SERVER)


@pytest.mark.parametrize(
    ("text", "pushed", "tested"),
    [
        (
            "params.a = 'x'  and tags.`b c` ilike \"y%\"",
            "params.a = 'x' AND tags.`b c` ILIKE 'y%'",
            (Predicate("param", "a", "eq", "x"), Predicate("tag", "b c", "ilike", "y%")),
        ),
        (
            "status != 'FAILED' artifact_uri = 'r'",
            "attributes.status != 'FAILED' AND artifact_uri = 'r'",
            (
                Predicate("attribute", "status", "ne", "FAILED"),
                Predicate("attribute", "artifact_uri", "eq", "r"),
            ),
        ),
        ("artifact_uri LIKE 'a\\%'", "", (Predicate("attribute", "artifact_uri", "like", "a\\%"),)),
        (
            "datasets.name IN ('d', 'e')",
            "datasets.name IN ('d', 'e')",
            (Predicate("dataset", "name", "in", ("d", "e")),),
        ),
        ("datasets.name NOT IN ('d')", "", (Predicate("dataset", "name", "not_in", ("d",)),)),
        ("dataset.digest != 'd'", "dataset.digest != 'd'", (Predicate("dataset", "digest", "ne", "d"),)),
        ("dataset.context LIKE 'a_'", "", (Predicate("dataset", "context", "like", "a_"),)),
        ("metrics.a < 1", "metrics.a < 1.0", (Predicate("metric", "a", "lt", 1.0),)),
        ("metrics.a != 0", "", (Predicate("metric", "a", "ne", 0.0),)),
        ("metrics.a > 1e400", "", (Predicate("metric", "a", "gt", float("inf")),)),
        (
            "created >= 5.0",
            "attributes.start_time >= 5",
            (Predicate("attribute", "started_at", "gte", 5),),
        ),
        ("end_time < 1e400", "", (Predicate("attribute", "ended_at", "lt", float("inf")),)),
        ("tags.a IS NULL", "", (Predicate("tag", "a", "is_null", value=True),)),
        (
            'run_id in ( "a1")',
            "attributes.run_id = 'a1'",
            (Predicate("attribute", "run_id", "in", ("a1",)),),
        ),
    ],
)
def test_filter_of_runs_is_split(text: str, pushed: str, tested: tuple[Predicate, ...]) -> None:
    """This server tests all comparisons, and the store gets those that exclude no match."""
    plan = plan_runs(Search(filter=text), SERVER)
    assert plan.filter == pushed
    assert plan.residual == (AllOf(tested) if len(tested) > 1 else tested[0] if tested else None)


def test_store_without_capabilities_gets_whole_times_and_null_tests() -> None:
    """A store of unknown kind may run times and null tests, and nothing is lost if it refuses them."""
    plan = plan_runs(
        Search(filter="start_time > 5 AND params.a IS NOT NULL AND end_time < 5.5"), Capabilities()
    )
    assert plan.filter == "start_time > 5 AND params.a IS NOT NULL"
    assert plan.residual == AllOf(
        (
            Predicate("attribute", "started_at", "gt", 5),
            Predicate("param", "a", "is_null", value=False),
            Predicate("attribute", "ended_at", "lt", 5.5),
        )
    )


def test_filter_of_experiments_is_split() -> None:
    """Not every version of MLflow can test ids or has the prefix of attributes."""
    text = "attributes.`name` like 'a%' AND experiment_id IN ('1', '2') AND creation_time > 5"
    plan = plan_experiments(Search(filter=text), SERVER)
    assert plan.filter == "name LIKE 'a%' AND creation_time > 5"
    assert plan.residual == AllOf(
        (
            Predicate("attribute", "name", "like", "a%"),
            Predicate("attribute", "experiment_id", "in", ("1", "2")),
            Predicate("attribute", "created_at", "gt", 5),
        )
    )


@pytest.mark.parametrize("text", ["params.x > '1'", "a OR b", "status = 'a", "params.a = '\x00'"])
def test_invalid_filter_is_refused_before_the_store_is_asked(text: str) -> None:
    """A filter is valid or invalid on every store alike."""
    with pytest.raises(BadUserInput):
        plan_runs(Search(filter=text), SERVER)
