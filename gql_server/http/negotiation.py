"""The media type of a response, from the Accept header."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from starlette.types import Scope

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
HTML: Final = "text/html"
EVENT_STREAM: Final = "text/event-stream"

_SCOPE_KEY: Final = "gql_server.media_type"
_CACHED_HEADERS: Final = 100
"""Accept headers whose result is cached: each client sends the same one with every request."""


class StreamUse(Enum):
    """For which operations the response is an event stream."""

    NEVER = auto()
    """The client does not name event streams in its Accept header."""
    SUBSCRIPTIONS = auto()
    """The client accepts JSON at least as well."""
    ALWAYS = auto()


def set_negotiated_type(scope: Scope, media_type: str) -> None:
    """Store the media type of the response to a request."""
    scope[_SCOPE_KEY] = media_type


def negotiated_type(scope: Scope) -> str:
    """Return the media type of the response to a request; JSON if none was negotiated."""
    media_type: str = scope.get(_SCOPE_KEY, JSON)
    return media_type


def unexecuted_status(media_type: str) -> HTTPStatus:
    """Return the status of the response to a request whose document was not executed.

    It is 400, but 200 in application/json, because clients of that media type treat any other status as an
    error of the transport.
    """
    return HTTPStatus.BAD_REQUEST if media_type == GRAPHQL_RESPONSE else HTTPStatus.OK


@lru_cache(_CACHED_HEADERS)
def prefers_page(accept: str) -> bool:
    """Report whether the client is a browser: it accepts text/html explicitly, and before any JSON."""
    weights = _weights(accept)
    html = weights.get(HTML, 0.0)
    return html > 0 and html >= max(weights.get(JSON, 0.0), weights.get(GRAPHQL_RESPONSE, 0.0))


@lru_cache(_CACHED_HEADERS)
def response_type(accept: str) -> str | None:
    """Return the media type of the response; None if the client accepts neither of the two.

    The default is `application/json`, as the audits of the GraphQL-over-HTTP specification require.
    """
    weights = _weights(accept)
    modern, plain = _quality(weights, GRAPHQL_RESPONSE), _quality(weights, JSON)
    if modern <= 0 and plain <= 0:
        return None
    named = weights.get(GRAPHQL_RESPONSE, 0.0) > 0
    return GRAPHQL_RESPONSE if named and modern >= plain else JSON if plain > 0 else GRAPHQL_RESPONSE


@lru_cache(_CACHED_HEADERS)
def stream_use(accept: str) -> StreamUse:
    """Return for which operations the response is an event stream.

    urql names event streams in the Accept header of every query and expects JSON.
    """
    weights = _weights(accept)
    stream = weights.get(EVENT_STREAM, 0.0)
    if stream <= 0:
        return StreamUse.NEVER
    named = max(weights.get(GRAPHQL_RESPONSE, 0.0), weights.get(JSON, 0.0))
    by_range = max(_quality(weights, GRAPHQL_RESPONSE), _quality(weights, JSON))
    prefers_stream = stream > named if named > 0 else stream >= by_range
    return StreamUse.ALWAYS if prefers_stream else StreamUse.SUBSCRIPTIONS


def _quality(weights: Mapping[str, float], media_type: str) -> float:
    """Return the weight of the most specific range that matches the type (RFC 9110, 12.5.1)."""
    family = media_type.partition("/")[0] + "/*"
    return next((weights[name] for name in (media_type, family, "*/*") if name in weights), 0.0)


def _weights(accept: str) -> dict[str, float]:
    weights = {}
    for entry in (accept or "*/*").split(","):
        media_range, *parameters = (part.strip().lower() for part in entry.split(";"))
        qualities = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        weights[media_range] = _weight(qualities[0]) if qualities else 1.0
    return weights


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
