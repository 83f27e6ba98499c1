"""The error of an address at which something else than MLflow responds."""

from schema.ports.errors import StoreUnavailable


class NotMlflowError(StoreUnavailable):
    """The tracking store's address returns a response that is not MLflow's, such as a login page."""
