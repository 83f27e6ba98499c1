"""The Range header of a request."""

import re
from typing import Final

from starlette.types import Scope

_BYTE_RANGE: Final = re.compile(rb"\s*bytes\s*=", re.IGNORECASE)


def without_ignored_range(scope: Scope) -> Scope:
    """Return the scope of a request without a Range header that a server ignores (RFC 9110, 14.2).

    It is that of another method than GET, or one in another unit than bytes.
    """
    is_get = scope["method"] == "GET"
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name != b"range" or (is_get and _BYTE_RANGE.match(value))
    ]
    return {**scope, "headers": headers}
