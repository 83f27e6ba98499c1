"""Checks that take several requests: pages, global ids, artifacts and tables."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from tests.support.app.graphql_client import GraphQLClient
from tests.upstream.questions.answers import Answers
from tests.upstream.scripts.searches import PAGE

Journey: TypeAlias = Callable[[GraphQLClient, Answers], Awaitable[tuple[Any, Any]]]
"""Returns what the server answered, and what the client did."""

_PAGES = """query ($first: Int!, $after: String) {
  runs(first: $first, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } }
}"""


async def run_pages(graphql: GraphQLClient, answers: Answers) -> tuple[Any, Any]:
    """Read all runs page by page."""
    pages, after, more = [], None, True
    while more:
        found = (await graphql.data(_PAGES, first=PAGE, after=after))["runs"]
        pages.append([node["name"] for node in found["nodes"]])
        more, after = found["pageInfo"]["hasNextPage"], found["pageInfo"]["endCursor"]
    return pages, answers["run_pages"]


async def global_ids(graphql: GraphQLClient, answers: Answers) -> tuple[Any, Any]:
    """Read objects of each type again by their global ids."""
    data = await graphql.data("""{
      experiments { nodes { id } } runs { nodes { id } }
      registeredModels { nodes { id versions { nodes { id } } } }
      experiment(name: "sweep") { loggedModels { nodes { id } } }
    }""")
    models = data["registeredModels"]["nodes"]
    lists = [data["experiments"]["nodes"], data["runs"]["nodes"], models]
    lists += [model["versions"]["nodes"] for model in models]
    lists += [data["experiment"]["loggedModels"]["nodes"]]
    ids = [node["id"] for found in lists for node in found]
    found = await graphql.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=ids)
    types = {node["__typename"] for node in found["nodes"]}
    expected = {"Experiment", "Run", "RegisteredModel", "ModelVersion"}
    return [[node["id"] for node in found["nodes"]], types], [
        ids,
        expected | ({"LoggedModel"} if answers["logged_models"] else set()),
    ]


async def artifacts(graphql: GraphQLClient, answers: Answers) -> tuple[Any, Any]:
    """List the files of the runs whose artifacts are in local folders, and download one."""
    expected = answers["artifacts"]
    found = {}
    for name in expected:
        document = "query ($run: ID!) { run(runId: $run) { artifacts { children { path downloadUrl } } } }"
        data = await graphql.data(document, run=answers.run(name)["runId"])
        files = [file for folder in data["run"]["artifacts"] for file in folder["children"]]
        found[name] = [file["path"] for file in files]
        content = (await graphql.http.get(f"/{files[0]['downloadUrl'].lstrip('/')}")).text
        assert content == f"{name}\n"
    return found, expected


async def table(graphql: GraphQLClient, answers: Answers) -> tuple[Any, Any]:
    """Read the params of all active runs as CSV."""
    response = await graphql.http.get("/tables/params.csv")
    rows = [(row["run_id"], row["key"], row["value"]) for row in csv.DictReader(io.StringIO(response.text))]
    expected = [
        (run["runId"], param["key"], param["value"])
        for run in answers.active_runs()
        for param in run["params"]
    ]
    return rows, expected


async def readiness(graphql: GraphQLClient, _answers: Answers) -> tuple[Any, Any]:
    """Ask whether the store can be read."""
    return (await graphql.http.get("/readyz")).status_code, 200


JOURNEYS: dict[str, Journey] = {
    journey.__name__: journey for journey in (run_pages, global_ids, artifacts, table, readiness)
}
