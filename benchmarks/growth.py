"""W5: W1 where there are many times the runs, as MLflow's tables are and with the one index."""

from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.over_sql import check_answers
from benchmarks.plan import Pair
from benchmarks.process import Served, gql_server
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Contender, Sample, measure
from benchmarks.workload import workloads

_BARE_BOUND = 2.0
_INDEXED_BOUND = 1.3
Samples = dict[str, Sample]


def growth(pair: Pair, served: Served, of_grown: Served, directory: Path, rounds: int) -> Section:
    """Measure W1 on a database and on its grown one, which the two serve, without the index and with it."""
    kind, grown = pair.database.kind, pair.grown
    with closing(Client(served.port)) as small:
        bare = _measure(pair, small, of_grown, rounds, indexed=False)
        # Started anew, for a server looks for the index once.
        with grown.with_index(), gql_server(grown.uri, directory) as anew:
            indexed = _measure(pair, small, anew, rounds, indexed=True)
    aims = [
        Aim(f"W5 as the tables are / its own limit, {kind}", _compare(bare, "W5", "W5 limit"), _BARE_BOUND),
        Aim(f"W5 with the index / W1, {kind}", _compare(indexed, "W5", "W1"), _INDEXED_BOUND),
    ]
    return Section([_table(grown, bare, indexed)], aims)


def _measure(pair: Pair, small: Client, of_grown: Served, rounds: int, *, indexed: bool) -> Samples:
    w1 = workloads(pair.database.sizes)[0]
    with ExitStack() as stack:
        large = stack.enter_context(closing(Client(of_grown.port)))
        limit = stack.enter_context(pair.database.limit())
        own = stack.enter_context(pair.grown.limit(indexed=indexed))
        check_answers(large, [w1], {w1.name: own.answer(w1)})
        contenders = {
            "W1 limit": Contender(partial(limit.answer, w1)),
            "W1": Contender(partial(small.cold, w1), small.connect),
            "W5 limit": Contender(partial(own.answer, w1)),
            "W5": Contender(partial(large.cold, w1), large.connect),
        }
        return measure(contenders, rounds)


def _compare(samples: Samples, one: str, other: str) -> float:
    return samples[one].median / samples[other].median


def _table(grown: Database, bare: Samples, indexed: Samples) -> Table:
    rows = []
    for name, samples in (("as MLflow's tables are", bare), ("with the index", indexed)):
        to_limit, to_w1 = (ratio(_compare(samples, "W5", other)) for other in ("W5 limit", "W1"))
        rows.append([name, samples["W5 limit"], samples["W5"], to_limit, samples["W1"], to_w1])
    sizes = grown.sizes
    runs = sizes.experiments * sizes.runs * sizes.times
    note = (
        f"{runs:,} runs, {sizes.times} times as many, each with the params, tags and last metrics of W1 and "
        f"{sizes.points} point of each metric.\n\n```sql\n{grown.index};\n```"
    )
    header = ["", "limit", "cold", "cold / limit", "W1 cold", "W5 / W1"]
    return Table(f"W5 over {grown.kind}: W1 among more runs", header, rows, note)
