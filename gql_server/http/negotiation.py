"""Which media type an answer is given in."""

from typing import NamedTuple

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"


class _Range(NamedTuple):
    pattern: str
    quality: float


def prefers_page(accept: str) -> bool:
    """Say whether a browser is asking: it names text/html, and before any JSON."""
    html = _quality(accept, HTML, exact=True)
    return html > 0 and html >= max(
        _quality(accept, JSON, exact=True), _quality(accept, GRAPHQL_RESPONSE, exact=True)
    )


def response_type(accept: str) -> str | None:
    """Return the media type to answer with; None where the client takes neither of the two.

    `application/json` is kept for clients that name nothing, as the specification's audits want.
    """
    modern, plain = _quality(accept, GRAPHQL_RESPONSE), _quality(accept, JSON)
    if modern <= 0 and plain <= 0:
        return None
    named = _quality(accept, GRAPHQL_RESPONSE, exact=True) > 0
    return GRAPHQL_RESPONSE if named and modern >= plain else JSON if plain > 0 else GRAPHQL_RESPONSE


def _quality(accept: str, media_type: str, *, exact: bool = False) -> float:
    """Return the weight of the most specific range that covers the type (RFC 9110, 12.5.1)."""
    ranges = {entry.pattern: entry.quality for entry in _ranges(accept or "*/*")}
    family = media_type.partition("/")[0] + "/*"
    patterns = (media_type,) if exact else (media_type, family, "*/*")
    return next((ranges[pattern] for pattern in patterns if pattern in ranges), 0.0)


def _ranges(accept: str) -> list[_Range]:
    found = []
    for entry in accept.split(","):
        pattern, *parameters = (part.strip().lower() for part in entry.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        found.append(_Range(pattern, _weight(weights[0]) if weights else 1.0))
    return found


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
