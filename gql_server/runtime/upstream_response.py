"""Checks of the responses of an MLflow server while they are read: not too large, and not empty.

MLflow's client reads a response of any size into memory, and takes an empty one for an empty result.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from gql_server.runtime.operation_budget import current_meter
from gql_server.runtime.response_memory import response_memory

_NOTHING: Final = {b"", b"200 OK"}
"""Bodies of a response that MLflow's client takes for an empty JSON object."""
_HEAD_BYTES: Final = 16
_PARSING_SECONDS: Final = 1e-7
"""Processor time in which MLflow's client parses a byte of a response, which nothing interrupts."""


class ResponseTooLargeError(Exception):
    """The response has more than `max_bytes`, as sent or after decompression."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.max_bytes = max_bytes


class EmptyResponseError(Exception):
    """The response to a read has the status 200 and no content."""


@dataclass(frozen=True, slots=True, eq=False)
class _Checks:
    """The checks of one call, which is also the owner of the bytes that it reads."""

    max_bytes: int
    reads: bool


_checks: ContextVar[_Checks | None] = ContextVar("upstream_checks", default=None)


@contextmanager
def checked_responses(max_bytes: int, *, reads: bool) -> Iterator[None]:
    """Check the responses to requests of this context; with `reads` an empty one is an error.

    All contexts together have `max_bytes` in memory, and the oldest as many again. Requests outside of such
    a context, for example for a file that is streamed, are not checked.
    """
    checks = _Checks(max_bytes, reads)
    token = _checks.set(checks)
    response_memory.begin(checks)
    try:
        yield
    finally:
        _checks.reset(token)
        response_memory.end(checks)


def check_response(response: Any) -> None:
    """Check a response of urllib3, and make it check its content while it is read.

    Raise `ResponseTooLargeError` if its headers announce too much.
    """
    checks = _checks.get()
    if checks is None:
        return
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > checks.max_bytes:
        raise ResponseTooLargeError(checks.max_bytes)
    response.stream = _checked_stream(response, response.stream, checks)


def _checked_stream(
    response: Any, stream: Callable[..., Iterator[bytes]], checks: _Checks
) -> Callable[..., Iterator[bytes]]:
    def read(*arguments: Any, **options: Any) -> Iterator[bytes]:
        size, head = 0, b""
        for chunk in stream(*arguments, **options):
            size += len(chunk)
            if size > checks.max_bytes:
                # The rest is not read, so that the connection cannot serve another request.
                response.close()
                raise ResponseTooLargeError(checks.max_bytes)
            response_memory.add(checks, len(chunk), checks.max_bytes)
            if len(head) < _HEAD_BYTES:
                head = (head + chunk).lstrip()[:_HEAD_BYTES]
            yield chunk
        if checks.reads and response.status == HTTPStatus.OK and head.strip() in _NOTHING:
            raise EmptyResponseError
        meter = current_meter.get()
        if meter is not None:
            meter.check_ahead(size * _PARSING_SECONDS)

    return read
