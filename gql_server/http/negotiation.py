"""Which media type an answer is given in."""

from collections.abc import Mapping
from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
_KEPT = 100
"""Accept headers whose reading is kept: each client sends one of its own, again and again."""


@lru_cache(_KEPT)
def prefers_page(accept: str) -> bool:
    """Say whether a browser is asking: it names text/html, and before any JSON."""
    weights = _weights(accept)
    html = weights.get(HTML, 0.0)
    return html > 0 and html >= max(weights.get(JSON, 0.0), weights.get(GRAPHQL_RESPONSE, 0.0))


@lru_cache(_KEPT)
def response_type(accept: str) -> str | None:
    """Return the media type to answer with; None where the client takes neither of the two.

    `application/json` is kept for clients that name nothing, as the specification's audits want.
    """
    weights = _weights(accept)
    modern, plain = _quality(weights, GRAPHQL_RESPONSE), _quality(weights, JSON)
    if modern <= 0 and plain <= 0:
        return None
    named = weights.get(GRAPHQL_RESPONSE, 0.0) > 0
    return GRAPHQL_RESPONSE if named and modern >= plain else JSON if plain > 0 else GRAPHQL_RESPONSE


def _quality(weights: Mapping[str, float], media_type: str) -> float:
    """Return the weight of the most specific range that covers the type (RFC 9110, 12.5.1)."""
    family = media_type.partition("/")[0] + "/*"
    return next((weights[name] for name in (media_type, family, "*/*") if name in weights), 0.0)


def _weights(accept: str) -> dict[str, float]:
    found = {}
    for entry in (accept or "*/*").split(","):
        pattern, *parameters = (part.strip().lower() for part in entry.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        found[pattern] = _weight(weights[0]) if weights else 1.0
    return found


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
