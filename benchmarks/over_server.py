"""S1, S2 and W1 to W3 over an `mlflow server`: this server, raw calls, MLflow's client and /graphql."""

from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.least.app import least_responses
from benchmarks.mlflow_client import ClientLoops
from benchmarks.mlflow_graph import SAMPLED_POINTS, MlflowGraph
from benchmarks.over_sql import check_results
from benchmarks.postgraphile.documents import LARGE
from benchmarks.process import Served, gql_server
from benchmarks.raw_calls import CALLS, RawCalls
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Timings, Variant, measure
from benchmarks.small_workloads import small_workloads
from benchmarks.workload import EXPERIMENT, Workload, workloads

_BOUND = 1.15
_CLIENT_BOUND = 1.0
_AGAIN_BOUND = 20.0
_SLOW = "W2"
"""MLflow's client and /graphql take half a minute for W2, so that they run it only once."""


def over_server(database: Database, upstream: Served, directory: Path, rounds: int) -> Section:
    """Measure S1, S2 and W1 to W3 over `upstream`, an `mlflow server` on the database."""
    large = [workload for workload in workloads(database.sizes) if workload.name in CALLS]
    with ExitStack() as stack:
        limit = stack.enter_context(database.limit())
        ids = [experiment_id for experiment_id, _ in limit.reader.experiments(database.sizes.experiments)]
        one_each = (variations[0] for variations in small_workloads(database.sizes, ids).values())
        few = [workload for workload in one_each if workload.name in CALLS]
        measured = few + large
        results = dict(
            zip([workload.name for workload in few], least_responses(database.uri, few), strict=True)
        )
        results |= {workload.name: limit.run(workload) for workload in large}
        experiment_ids = list(map(str, ids))
        w2_experiment_id = str(limit.reader.experiment(EXPERIMENT))
        served = stack.enter_context(gql_server(upstream.uri, directory))
        client, graph = (stack.enter_context(closing(Client(port))) for port in (served.port, upstream.port))
        raw = stack.enter_context(closing(RawCalls(upstream.uri)))
        check_results(client, measured, results)
        keys = [f"metric_{number:02d}" for number in range(database.sizes.metrics)]
        mlflow_variants: dict[str, ClientLoops | MlflowGraph] = {
            "MlflowClient": ClientLoops(upstream.uri),
            "/graphql": MlflowGraph(graph, experiment_ids, w2_experiment_id, keys),
        }
        timings = measure(_variants(measured, client, raw), rounds)
        for workload in measured:
            slow = workload.name == _SLOW
            slower = {
                f"{workload.name} {name}": Variant(partial(loops.run, workload))
                for name, loops in mlflow_variants.items()
            }
            timings |= measure(slower, 1 if slow else rounds, warm=not slow)
    ratios = {name: _ratio(timings, name) for name in CALLS}
    return Section([_table(timings, ratios)], _aims(timings, ratios))


def _variants(measured: list[Workload], client: Client, raw: RawCalls) -> dict[str, Variant]:
    variants = {}
    for workload in measured:
        variants[f"{workload.name} raw"] = Variant(partial(raw.run, workload))
        variants[f"{workload.name} cold"] = Variant(partial(client.cold, workload), client.connect)
        variants[f"{workload.name} hot"] = Variant(
            partial(client.hot, workload), partial(client.prime, workload)
        )
    return variants


def _ratio(timings: dict[str, Timings], name: str) -> float:
    return timings[f"{name} cold"].median / timings[f"{name} raw"].median


def _aims(timings: dict[str, Timings], ratios: dict[str, float]) -> list[Aim]:
    cold, hot, client = (timings[f"W1 {variant}"].median for variant in ("cold", "hot", "MlflowClient"))
    return [
        *(Aim(f"{name} over an mlflow server / raw calls", ratios[name], _BOUND) for name in LARGE),
        Aim("W1 over an mlflow server / MlflowClient", cold / client, _CLIENT_BOUND),
        Aim(
            "MlflowClient / W1 over an mlflow server, second time", client / hot, _AGAIN_BOUND, at_least=True
        ),
    ]


def _table(timings: dict[str, Timings], ratios: dict[str, float]) -> Table:
    rows = []
    for name, value in ratios.items():
        raw, cold, hot, client, graph = (
            timings[f"{name} {variant}"] for variant in ("raw", "cold", "hot", "MlflowClient", "/graphql")
        )
        to_client = ratio(cold.median / client.median)
        again = ratio(client.median / hot.median)
        rows.append([name, raw, cold, ratio(value), client, to_client, hot, again, graph])
    calls = "\n".join(f"- {name}: {text}" for name, text in CALLS.items())
    note = (
        f"The raw calls are the fewest that return the data, concurrent where possible:\n\n{calls}\n\n"
        f"MLflow's /graphql cannot search experiments (their ids are given to it), and samples histories: it "
        f"returns at most {SAMPLED_POINTS:,} points of a metric of a run for W2 and W3."
    )
    header = ["", "raw calls", "cold", "cold / raw", "MlflowClient", "cold / MlflowClient"]
    header += ["hot", "MlflowClient / hot", "MLflow's /graphql"]
    return Table("S1, S2 and W1 to W3 over an mlflow server", header, rows, note)
