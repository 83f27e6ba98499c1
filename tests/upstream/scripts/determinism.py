"""A clock and ids that are the same in each run, so that the same MLflow writes the same rows."""

import time
import uuid
from random import Random

START = 1_700_000_000_000
"""The time of the first row, in milliseconds."""

_SEED = 15


class Clock:
    """The time of this process, which stands still until `tick` is called."""

    def __init__(self) -> None:
        self.milliseconds = START

    def tick(self) -> int:
        """Advance the clock by a second, and return its time in milliseconds."""
        self.milliseconds += 1000
        return self.milliseconds


def install() -> Clock:
    """Replace the clock and the random ids of this process."""
    clock, random = Clock(), Random(_SEED)  # noqa: S311 - ids of tests
    time.time = lambda: clock.milliseconds / 1000
    uuid.uuid4 = lambda: uuid.UUID(int=random.getrandbits(128), version=4)
    return clock
