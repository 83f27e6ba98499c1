"""The range of the integers that a store can contain: steps, and times in milliseconds."""

from typing import Final

BIG_INT_RANGE: Final = range(-(2**63), 2**63)
