"""The page that a browser gets at `/graphql`."""

from pathlib import Path

from starlette.responses import HTMLResponse, PlainTextResponse, Response

BUILT = Path(__file__).with_name("built")
"""Made by `hatch_build.py`; a checkout that was never installed does not have it."""

# Monaco, GraphiQL's editor, writes its colours and positions as styles, and GraphiQL's style sheet has its
# fonts inside; nothing else is let in.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "vary": "accept",
    "x-content-type-options": "nosniff",
}
_MISSING = (
    "GraphiQL is not part of this installation: it was built without the page, or run from a checkout that\n"
    "was not installed. `make install`, or any `pip install` without GQL_SKIP_FRONTEND, builds it.\n"
    "The graph itself is here: send it a query by POST.\n"
)


def page(built: Path = BUILT) -> Response:
    """Return the page; where it was not built, a text that says so, with status 404."""
    try:
        html = (built / "index.html").read_bytes()
    except FileNotFoundError:
        return PlainTextResponse(_MISSING, 404, {"cache-control": "no-store", "vary": "accept"})
    return HTMLResponse(html, headers=_HEADERS)
