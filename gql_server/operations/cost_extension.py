"""The cost of an operation in `extensions.cost` of a response or an error."""

from typing import Any

import orjson


def cost_extension(cost: int, max_cost: int) -> dict[str, Any]:
    """Return the extension with an operation's cost and the limit."""
    return {"cost": {"requested": cost, "maximum": max_cost}}


def with_cost(body: bytes | memoryview, cost: int, max_cost: int) -> bytes:
    """Return the encoded response with the extension added."""
    extensions = orjson.dumps({"extensions": cost_extension(cost, max_cost)})
    return bytes(body[:-1]) + b"," + extensions[1:]
