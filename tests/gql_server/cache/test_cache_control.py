"""The cache directives of a request."""

import pytest

from gql_server.cache.cache_control import CacheControl, parse_cache_control


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", CacheControl.DEFAULT),
        ("max-age=5, only-if-cached", CacheControl.DEFAULT),
        ("no-cache", CacheControl.NO_CACHE),
        ("Max-Age=0", CacheControl.NO_CACHE),
        ("no-cache, no-store", CacheControl.NO_STORE),
        ("private,NO-STORE", CacheControl.NO_STORE),
    ],
)
def test_parse_cache_control(header: str, expected: CacheControl) -> None:
    """Cache-Control is parsed in any case and spacing; no-store takes precedence."""
    assert parse_cache_control(header) is expected
