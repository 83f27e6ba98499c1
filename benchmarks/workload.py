"""The workloads W1 to W3, which read many runs: their documents and variables."""

from dataclasses import dataclass
from typing import Any

from benchmarks.dataset import Sizes

RUNS_PAGE = 100
"""Runs on one page, in every workload."""

KEY = "metric_00"
"""The metric whose history W3 reads."""

EXPERIMENT = "bench-000"
"""The experiment of W2 and W3."""

_W1 = """query W1($first: Int!) {
  experiments(first: $first, filter: "name LIKE 'bench-%'") { nodes { name runs(first: 100) { nodes {
    runId name status startedAt endedAt params { key value } metrics { key value step }
  } } } }
}"""
_W2 = """query W2($name: String!) {
  experiment(name: $name) { runs(first: 100) { nodes {
    runId metrics { key history { step timestamp value } }
  } } }
}"""
_SERIES = """query W2series($name: String!) {
  experiment(name: $name) { runs(first: 100) { nodes {
    runId metrics { key series { steps timestamps values } }
  } } }
}"""
_W3 = """query W3($name: String!, $key: String!) {
  experiment(name: $name) { runs(first: 100) { nodes {
    runId metric(key: $key) { history { step timestamp value } }
  } } }
}"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A request, with its name in the report."""

    name: str
    document: str
    variables: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """The body of the POST request."""
        return {"query": self.document, "variables": self.variables}


def workloads(sizes: Sizes) -> list[Workload]:
    """Return W1, W2, W2 as series and W3, in the order of the tables."""
    return [
        Workload("W1", _W1, {"first": sizes.experiments}),
        Workload("W2", _W2, {"name": EXPERIMENT}),
        Workload("W2 as series", _SERIES, {"name": EXPERIMENT}),
        Workload("W3", _W3, {"name": EXPERIMENT, "key": KEY}),
    ]
