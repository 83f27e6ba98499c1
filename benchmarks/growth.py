"""W5: W1 on a database with many times as many runs, without and with an additional index."""

from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.over_sql import check_results
from benchmarks.plan import Pair
from benchmarks.process import Served, gql_server
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Timings, Variant, measure
from benchmarks.workload import workloads

_UNINDEXED_BOUND = 2.0
_INDEXED_BOUND = 1.3
TimingsByName = dict[str, Timings]


def growth(pair: Pair, served: Served, served_grown: Served, directory: Path, rounds: int) -> Section:
    """Measure W1 on a database and on its grown copy, without the index and with it."""
    kind, grown = pair.database.kind, pair.grown
    with closing(Client(served.port)) as small:
        unindexed = _measure(pair, small, served_grown, rounds, indexed=False)
        # A new process, since a server looks for the index only once.
        with grown.with_index(), gql_server(grown.uri, directory) as served_indexed:
            indexed = _measure(pair, small, served_indexed, rounds, indexed=True)
    aims = [
        Aim(f"W5 without the index / limit, {kind}", _compare(unindexed, "W5", "W5 limit"), _UNINDEXED_BOUND),
        Aim(f"W5 with the index / W1, {kind}", _compare(indexed, "W5", "W1"), _INDEXED_BOUND),
    ]
    return Section([_table(grown, unindexed, indexed)], aims)


def _measure(pair: Pair, small: Client, served_grown: Served, rounds: int, *, indexed: bool) -> TimingsByName:
    w1 = workloads(pair.database.sizes)[0]
    with ExitStack() as stack:
        large = stack.enter_context(closing(Client(served_grown.port)))
        limit = stack.enter_context(pair.database.limit())
        grown_limit = stack.enter_context(pair.grown.limit(indexed=indexed))
        check_results(large, [w1], {w1.name: grown_limit.run(w1)})
        variants = {
            "W1 limit": Variant(partial(limit.run, w1)),
            "W1": Variant(partial(small.cold, w1), small.connect),
            "W5 limit": Variant(partial(grown_limit.run, w1)),
            "W5": Variant(partial(large.cold, w1), large.connect),
        }
        return measure(variants, rounds)


def _compare(timings: TimingsByName, one: str, other: str) -> float:
    return timings[one].median / timings[other].median


def _table(grown: Database, unindexed: TimingsByName, indexed: TimingsByName) -> Table:
    rows = []
    for name, timings in (("without the index", unindexed), ("with the index", indexed)):
        to_limit, to_w1 = (ratio(_compare(timings, "W5", other)) for other in ("W5 limit", "W1"))
        rows.append([name, timings["W5 limit"], timings["W5"], to_limit, timings["W1"], to_w1])
    sizes = grown.sizes
    runs = sizes.experiments * sizes.runs * sizes.times
    note = (
        f"{runs:,} runs ({sizes.times} times as many), each with the params, tags and last metrics of W1 and "
        f"{sizes.points} point of each metric.\n\n```sql\n{grown.index};\n```"
    )
    header = ["", "limit", "cold", "cold / limit", "W1 cold", "W5 / W1"]
    return Table(f"W5 over {grown.kind}: W1 among more runs", header, rows, note)
