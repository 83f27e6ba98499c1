"""A clock whose time tests set."""


class Clock:
    """A callable clock; a test changes `now`, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now
