"""W1 to W3 over a real `mlflow server`: this server, the raw calls, MLflow's client and its own /graphql."""

from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.mlflow_client import ClientLoops
from benchmarks.mlflow_graph import SAMPLED_POINTS, MlflowGraph
from benchmarks.over_sql import check_answers
from benchmarks.process import Served, gql_server
from benchmarks.raw_calls import CALLS, RawCalls
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Contender, Sample, measure
from benchmarks.workload import EXPERIMENT, Workload, workloads

_BOUND = 1.15
_SLOW = "W2"
"""What MLflow's client and /graphql take half a minute for: one round has to do."""


def over_server(database: Database, upstream: Served, directory: Path, rounds: int) -> Section:
    """Measure W1 to W3 over an `mlflow server` on the database: `upstream`."""
    asked = [workload for workload in workloads(database.sizes) if workload.name in CALLS]
    with ExitStack() as stack:
        limit = stack.enter_context(database.limit())
        answers = {workload.name: limit.answer(workload) for workload in asked}
        ids = [str(one) for one, _ in limit.reader.experiments(database.sizes.experiments)]
        of_w2 = str(limit.reader.experiment(EXPERIMENT))
        served = stack.enter_context(gql_server(upstream.uri, directory))
        client, graph = (stack.enter_context(closing(Client(port))) for port in (served.port, upstream.port))
        raw = stack.enter_context(closing(RawCalls(upstream.uri)))
        check_answers(client, asked, answers)
        keys = [f"metric_{number:02d}" for number in range(database.sizes.metrics)]
        theirs: dict[str, ClientLoops | MlflowGraph] = {
            "MlflowClient": ClientLoops(upstream.uri),
            "/graphql": MlflowGraph(graph, ids, of_w2, keys),
        }
        samples = measure(_near(asked, client, raw), rounds)
        for workload in asked:
            slow = workload.name == _SLOW
            loops = {
                f"{workload.name} {name}": Contender(partial(one.answer, workload))
                for name, one in theirs.items()
            }
            samples |= measure(loops, 1 if slow else rounds, warm=not slow)
    ratios = {name: _ratio(samples, name) for name in CALLS}
    aims = [
        Aim(f"{name} over an mlflow server / fewest raw calls", found, _BOUND)
        for name, found in ratios.items()
    ]
    return Section([_table(samples, ratios)], aims)


def _near(asked: list[Workload], client: Client, raw: RawCalls) -> dict[str, Contender]:
    contenders = {}
    for workload in asked:
        contenders[f"{workload.name} raw"] = Contender(partial(raw.answer, workload))
        contenders[f"{workload.name} cold"] = Contender(partial(client.cold, workload), client.connect)
    return contenders


def _ratio(samples: dict[str, Sample], name: str) -> float:
    return samples[f"{name} cold"].median / samples[f"{name} raw"].median


def _table(samples: dict[str, Sample], ratios: dict[str, float]) -> Table:
    rows = []
    for name, found in ratios.items():
        raw, cold, client, graph = (
            samples[f"{name} {what}"] for what in ("raw", "cold", "MlflowClient", "/graphql")
        )
        rows.append([name, raw, cold, ratio(found), client, graph])
    calls = "\n".join(f"- {name}: {text}" for name, text in CALLS.items())
    note = (
        f"The fewest raw calls that could answer, concurrent where they can be:\n\n{calls}\n\n"
        f"MLflow's /graphql finds no experiments (their ids are given to it), and samples histories: what it "
        f"answers to W2 and W3 ends at {SAMPLED_POINTS:,} points of a metric in a run."
    )
    header = ["", "raw calls", "cold", "cold / raw", "MlflowClient", "MLflow's /graphql"]
    return Table("W1 to W3 over an mlflow server", header, rows, note)
