"""How long what was read is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """Seconds; 0 keeps nothing of the kind. `running` is the least and `ended` the most of the three.

    `ended` is for runs that have ended, `running` for searches, counts and whatever is not known to have
    ended. `experiments` is between: their names and tags change by hand, and who changed one looks here
    soon; a lookup every ten seconds is no load, whatever the number of readers.
    """

    ended: float = 300.0
    running: float = 2.0
    experiments: float = 10.0
