"""The destination of an upload, by the artifact URI of the run."""

from collections.abc import Sequence
from typing import Final

from gql_server.artifacts.access_policy import SERVER_SCHEMES, AccessPolicy
from gql_server.artifacts.artifact_path import check_server_path
from gql_server.artifacts.artifact_uri import artifact_scheme
from gql_server.artifacts.incoming_file import IncomingFile, LocalIncomingFile, SpooledIncomingFile
from gql_server.stores.allowed_roots import is_local
from schema.ports.errors import UnsupportedByStore

_REFUSED_SCHEMES: Final = {"runs", "models", "azureml"}
"""`runs` and `models` refer to other URIs, which `AccessPolicy` would not check. Azure ML's plugin silently
writes nothing if it does not have the address of a file."""
_NOT_WRITABLE: Final = "This server does not write to the artifact location of this run."


class UploadTargets:
    """Opens files for writing at the locations that `AccessPolicy` allows."""

    def __init__(self, policy: AccessPolicy) -> None:
        self._policy = policy

    def open(self, uri: str, parts: Sequence[str]) -> IncomingFile:
        """Return a file to write, at the path `parts` below a URI. It blocks.

        Raises `UnsupportedByStore` if this server does not write there, other public errors, and errors that
        `public_error_from` converts.
        """
        scheme = artifact_scheme(uri)
        if is_local(uri):
            return LocalIncomingFile(self._policy.local_folder(uri, _NOT_WRITABLE), parts)
        if scheme in _REFUSED_SCHEMES or (scheme in SERVER_SCHEMES and not self._policy.is_on_server(uri)):
            raise UnsupportedByStore(_NOT_WRITABLE)
        if scheme in SERVER_SCHEMES:
            check_server_path("/".join(parts))
        return SpooledIncomingFile(self._policy.open_repository(uri, _NOT_WRITABLE), parts)
