"""Requests that a page of another site makes a browser send: none of them runs an operation.

A body must be application/json, which browsers send across sites only after asking (CORS), so no form can
send one. A GET they send unasked; they say so in Sec-Fetch-Site or Origin, and a header of `ASKED` says that
they did ask. The rules are Apollo's, which clients know.
"""

from collections.abc import Collection

from starlette.datastructures import Headers

ASKED = ("x-apollo-operation-name", "apollo-require-preflight", "graphql-require-preflight")
"""Headers that no page can send to another site without asking."""

_ACROSS = {"cross-site", "same-site"}


def crosses(headers: Headers, origins: Collection[str], *, must_ask: bool) -> str | None:
    """Return why a request is refused as another site's; None where it is none, or that site is listed.

    With `must_ask`, a request needs one of the headers whoever sends it.
    """
    origin = headers.get("origin")
    if origin is not None and (origin in origins or "*" in origins):
        return None
    asked = any(name in headers for name in ASKED)
    if must_ask and not asked:
        return f"A GET needs one of the headers {', '.join(ASKED)} (GQL_GET_NEEDS_HEADER)."
    site = headers.get("sec-fetch-site")
    # Browsers before 2023, and all over plain HTTP to other machines, do not say the site.
    foreign = site in _ACROSS if site is not None else origin is not None and not _own(origin, headers)
    if foreign and not asked:
        return "Pages of other sites may not ask here; the operator can list them (GQL_ALLOWED_ORIGINS)."
    return None


def _own(origin: str, headers: Headers) -> bool:
    return origin.partition("://")[2].lower() == headers.get("host", "").lower()
