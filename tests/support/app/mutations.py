"""Execution of one mutation."""

from typing import Any

from tests.support.app.graphql_client import GraphQLClient

EXPERIMENT = "{ experiment { experimentId name lifecycleStage tags { key value } } }"
RUN = """{ run { runId name status lifecycleStage userId startedAt endedAt experimentId
    params { key value } tags { key value }
    metrics { key value nonFinite step timestamp } } }"""


def mutation_document(field: str) -> str:
    """Return the document of one mutation, with its input as a variable and all fields selected."""
    entity = "Experiment" if "Experiment" in field else "Run"
    name = f"{field[0].upper()}{field[1:]}Input"
    if field in {f"delete{entity}", f"restore{entity}"}:
        name = f"{entity}IdInput"
    selection = RUN if entity == "Run" else EXPERIMENT
    return f"mutation ($input: {name}!) {{ {field}(input: $input) {selection} }}"


async def mutate(graphql: GraphQLClient, field: str, **input_: Any) -> dict[str, Any]:
    """Execute one mutation, and return the entity that it changed."""
    payload: dict[str, Any] = (await graphql.data(mutation_document(field), input=input_))[field]
    (changed,) = payload.values()
    assert isinstance(changed, dict)
    return changed


async def mutation_error(graphql: GraphQLClient, field: str, **input_: Any) -> tuple[str, str]:
    """Execute a mutation that fails, and return the code and the message of its error."""
    error = await graphql.error(mutation_document(field), input=input_)
    assert error["path"] == [field]
    return error["extensions"]["code"], error["message"]


def as_mapping(entity: dict[str, Any], kind: str) -> dict[str, str]:
    """Return the values of params or tags by key."""
    return {pair["key"]: pair["value"] for pair in entity[kind]}
