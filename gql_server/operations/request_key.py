"""The key of equal requests."""

from gql_server.auth.caller import Caller
from gql_server.cache.response_cache import response_key
from gql_server.http.graphql_request import GraphQLRequest


def request_key(request: GraphQLRequest, caller: Caller) -> str:
    """Return a key that requests have in common if their responses are the same."""
    return response_key(
        request.query, request.operation_name, request.variables, caller.principal, request.root_path
    )
