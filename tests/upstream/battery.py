"""Asks the server everything about a store, and compares with what the version's own client answered."""

from typing import Any

from tests.support.app.graphql_client import graphql_client
from tests.upstream.journeys import JOURNEYS
from tests.upstream.questions import QUESTIONS
from tests.upstream.questions.answers import Answers


async def wrong_answers(uri: str, answers: Answers, **settings: Any) -> dict[str, tuple[Any, Any]]:
    """Return the wrong answers of a server over the store: question, its answer, the client's answer."""
    wrong = {}
    async with graphql_client(uri, **settings) as graphql:
        for name, ask in QUESTIONS.items():
            document, data = ask(answers)
            found = (await graphql.response(document)).json()
            if found != {"data": data}:
                wrong[name] = found, {"data": data}
        for name, journey in JOURNEYS.items():
            try:
                found, expected = await journey(graphql, answers)
            except AssertionError as error:
                found, expected = str(error), "no error"
            if found != expected:
                wrong[name] = found, expected
    return wrong


async def server_facts(uri: str) -> tuple[str | None, set[str]]:
    """Return the revision of the database and the features that the graph states."""
    async with graphql_client(uri) as graphql:
        server = (await graphql.data("{ server { databaseRevision features } }"))["server"]
    return server["databaseRevision"], set(server["features"])
