"""The workloads as PostGraphile's documents, with the data of this server's documents as far as it has it.

PostGraphile has no samples: S3 reads all points of the curves. Its numbers of 64 bits and its times are texts
of integers.
"""

from benchmarks.small_workloads import CHARTED, CURVE, METRICS, PAGE, PARAMS, S1, S2, S3
from benchmarks.workload import RUNS_PAGE, Workload

_NEWEST = 'orderBy: [START_TIME_DESC, RUN_UUID_ASC], condition: {lifecycleStage: "active"}'
_EXPERIMENT = 'experimentByWorkspaceAndName(workspace: "default", name: $name)'
_IN_ORDER = "orderBy: [STEP_ASC, TIMESTAMP_ASC]"
_VALUES = "paramsByRunUuidList { key value } latestMetricsByRunUuidList { key value step }"
_RUN = f"runUuid name status startTime {_VALUES}"
_COLUMNS = "\n    ".join(
    [
        *(
            f'{alias}: paramsByRunUuidList(condition: {{key: "{key}"}}) {{ value }}'
            for alias, key in PARAMS.items()
        ),
        *(
            f'{alias}: latestMetricsByRunUuidList(condition: {{key: "{key}"}}) {{ value }}'
            for alias, key in METRICS.items()
        ),
    ]
)
_W1 = f"""query W1($first: Int!) {{
  allExperimentsList(first: $first, orderBy: CREATION_TIME_DESC, condition: {{lifecycleStage: "active"}},
    filter: {{name: {{startsWith: "bench-"}}}}) {{
    name runsByExperimentIdList(first: {RUNS_PAGE}, {_NEWEST}) {{
      runUuid name status startTime endTime {_VALUES}
  }} }}
}}"""
_W2 = f"""query W2($name: String!) {{
  {_EXPERIMENT} {{ runsByExperimentIdList(first: {RUNS_PAGE}, {_NEWEST}) {{
    runUuid
    metricsByRunUuidList(orderBy: [KEY_ASC, STEP_ASC, TIMESTAMP_ASC]) {{ key step timestamp value }}
  }} }}
}}"""
_W3 = f"""query W3($name: String!, $key: String!) {{
  {_EXPERIMENT} {{ runsByExperimentIdList(first: {RUNS_PAGE}, {_NEWEST}) {{
    runUuid metricsByRunUuidList(condition: {{key: $key}}, {_IN_ORDER}) {{ step timestamp value }}
  }} }}
}}"""
_S1 = f"""query S1($id: String!) {{
  runByRunUuid(runUuid: $id) {{ {_RUN} }}
}}"""
_S2 = f"""query S2($experiment: Int!) {{
  allRunsList(first: {PAGE}, orderBy: [START_TIME_DESC, RUN_UUID_ASC],
    condition: {{experimentId: $experiment, lifecycleStage: "active"}}) {{ {_RUN} }}
}}"""
_S3 = f"""query S3($name: String!, $charted: [String!]!) {{
  {_EXPERIMENT} {{
    experimentId name
    runsByExperimentIdList(first: {PAGE}, {_NEWEST}) {{
      runUuid name status startTime
      {_COLUMNS}
    }}
    charted: runsByExperimentIdList(first: {CHARTED}, {_NEWEST}, filter: {{runUuid: {{in: $charted}}}}) {{
      runUuid name metricsByRunUuidList(condition: {{key: "{CURVE}"}}, {_IN_ORDER}) {{ step value }}
    }}
  }}
}}"""
_SMALL = {S1: _S1, S2: _S2, S3: _S3}
LARGE = {"W1": _W1, "W2": _W2, "W3": _W3}
"""The documents of W1 to W3. There is none for W2 as series."""


def translated(workload: Workload) -> Workload:
    """Return the workload for PostGraphile; raise KeyError for W2 as series, which it does not have."""
    document = _SMALL.get(workload.document) or LARGE[workload.name]
    variables = dict(workload.variables)
    if "experiment" in variables:
        variables["experiment"] = int(variables["experiment"])
    return Workload(workload.name, document, variables)
