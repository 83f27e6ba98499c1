"""Searches without their filter on stores that refuse it."""

from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException

from gql_server.stores.mlflow.client_errors import code_of
from gql_server.stores.paging import FetchPage, PageToken

_REFUSED = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}


def with_fallback(fetcher: Callable[[str], FetchPage], filter_: str, required: str = "") -> FetchPage:
    """Return a function that fetches pages with a filter, and with the required part only if it is refused.

    Older servers do not support some clauses, and some databases refuse the SQL that MLflow generates for
    them. This server tests the additional rows anyway.
    """
    fetch_filtered = fetcher(filter_)
    if filter_ == required:
        return fetch_filtered

    async def fetch(size: int, token: PageToken) -> Any:
        try:
            return await fetch_filtered(size, token)
        except MlflowException as error:
            if code_of(error) not in _REFUSED:
                raise
        return await fetcher(required)(size, token)

    return fetch
