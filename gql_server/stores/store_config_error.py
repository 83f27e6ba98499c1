"""The error for a tracking URI that no retry fixes."""


class StoreConfigError(Exception):
    """The tracking URI cannot be opened; the message is one line with the reason and what to do.

    The message is for the operator and may contain the URI, except its password. If a later attempt may
    succeed, `schema.ports.errors.StoreUnavailable` is raised instead.
    """
