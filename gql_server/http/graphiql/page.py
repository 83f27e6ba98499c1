"""The GraphiQL page, the response of `/graphql` to a browser."""

from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, PlainTextResponse, Response

BUILT: Final = Path(__file__).with_name("built")
"""The output of `hatch_build.py`; a checkout that was never installed does not have it."""

# Monaco, GraphiQL's editor, sets colours and positions as inline styles, and GraphiQL's style sheet contains
# its fonts as data: URLs. Everything else must come from this server.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "vary": "accept",
    "x-content-type-options": "nosniff",
}
_MISSING: Final = (
    "GraphiQL is not part of this installation: it was built without the page, or it is a checkout that was\n"
    "not installed. `make install`, or any `pip install` without GQL_SKIP_FRONTEND, builds the page.\n"
    "The API is available here: send a query by POST.\n"
)


def page(built: Path = BUILT) -> Response:
    """Return the page; 404 with an explanation if it was not built."""
    try:
        html = (built / "index.html").read_bytes()
    except FileNotFoundError:
        headers = {"cache-control": "no-store", "vary": "accept"}
        return PlainTextResponse(_MISSING, HTTPStatus.NOT_FOUND, headers)
    return HTMLResponse(html, headers=_HEADERS)
