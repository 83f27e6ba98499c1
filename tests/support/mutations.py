"""Mutations as tests write them."""

from typing import Any

from tests.support.graphql_client import GraphQLClient

EXPERIMENT = "{ experiment { experimentId name lifecycleStage tags { key value } } }"
RUN = """{ run { runId name status lifecycleStage userId startedAt endedAt experimentId
    params { key value } tags { key value }
    metrics { key value nonFinite step timestamp } } }"""


def document(field: str) -> str:
    """Return the document of one mutation, which takes its input as a variable and selects all."""
    thing = "Experiment" if "Experiment" in field else "Run"
    name = f"{field[0].upper()}{field[1:]}Input"
    if field in {f"delete{thing}", f"restore{thing}"}:
        name = f"{thing}IdInput"
    selection = RUN if thing == "Run" else EXPERIMENT
    return f"mutation ($input: {name}!) {{ {field}(input: $input) {selection} }}"


async def change(ask: GraphQLClient, field: str, **given: Any) -> dict[str, Any]:
    """Make one change, and return what it changed."""
    payload: dict[str, Any] = (await ask.data(document(field), input=given))[field]
    (changed,) = payload.values()
    assert isinstance(changed, dict)
    return changed


async def refusal(ask: GraphQLClient, field: str, **given: Any) -> tuple[str, str]:
    """Ask for a change that is refused, and return the error's code and message."""
    error = await ask.error(document(field), input=given)
    assert error["path"] == [field]
    return error["extensions"]["code"], error["message"]


def pairs(entity: dict[str, Any], kind: str) -> dict[str, str]:
    """Return params or tags by key."""
    return {pair["key"]: pair["value"] for pair in entity[kind]}
