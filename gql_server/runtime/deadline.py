"""The deadline of the current call of a port."""

from contextvars import ContextVar

deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""The time, by the event loop's clock, at which the current call of a port must have ended."""
