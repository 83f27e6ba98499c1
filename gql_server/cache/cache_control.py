"""The cache directives of a request."""

from enum import Enum


class CacheControl(Enum):
    """How an operation uses the caches; named for the directives of the Cache-Control request header."""

    DEFAULT = "default"
    """Read from the cache, and store what was missing."""

    NO_CACHE = "no-cache"
    """Read from the store only, and store the result in the cache; max-age=0 means the same."""

    NO_STORE = "no-store"
    """Read from the store only, and do not change the cache."""


def parse_cache_control(header: str) -> CacheControl:
    """Parse the Cache-Control header of a request; other directives are ignored."""
    if not header:
        return CacheControl.DEFAULT
    directives = {directive.strip().lower() for directive in header.split(",")}
    if "no-store" in directives:
        return CacheControl.NO_STORE
    return CacheControl.NO_CACHE if directives & {"no-cache", "max-age=0"} else CacheControl.DEFAULT
