"""What a request says about answers from the cache."""

from enum import Enum


class CacheControl(Enum):
    """How an operation uses the cache."""

    ANY = "any"
    """Read from it, and keep what was not there."""

    NEW = "new"
    """Read from the store, and keep that for others: Cache-Control: no-cache, or max-age=0."""

    UNKEPT = "unkept"
    """Read from the store, and keep nothing of it: Cache-Control: no-store."""


def parse_cache_control(cache_control: str) -> CacheControl:
    """Return what a request's Cache-Control header asks for; directives that it does not know are ignored."""
    if not cache_control:
        return CacheControl.ANY
    directives = {directive.strip().lower() for directive in cache_control.split(",")}
    if "no-store" in directives:
        return CacheControl.UNKEPT
    return CacheControl.NEW if directives & {"no-cache", "max-age=0"} else CacheControl.ANY
