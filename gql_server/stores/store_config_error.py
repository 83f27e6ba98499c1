"""The fault of a tracking URI that no waiting will mend."""


class StoreConfigError(Exception):
    """The tracking URI cannot be opened; the message, one line, says why and what to do.

    It is for whoever started the server and may name what they typed, except a password. Where the store may
    come up by itself, `schema.ports.errors.StoreUnavailable` is raised instead.
    """
