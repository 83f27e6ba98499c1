"""How much of a request a parser reads."""

from typing import Final

MAX_URL_BYTES: Final = 65_535
"""Bytes of a URL: what httptools parses; proxies have lower limits."""
MAX_HEADER_BYTES: Final = 65_536
"""Bytes of all headers together: the default of uvicorn's h11 parser; proxies have lower limits."""
MAX_SECTION_BYTES: Final = MAX_URL_BYTES + 2 * MAX_HEADER_BYTES
"""Bytes that a parser reads without a part of the body: the line and headers, or the trailers.

The line has a method, and each header a colon and a line break that the limit on headers does not count.
"""
