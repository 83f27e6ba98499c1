"""From the URI of a run's artifacts to what takes files for it."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from gql_server.artifacts.access_policy import OF_A_SERVER, AccessPolicy
from gql_server.artifacts.incoming_file import IncomingFile, LocalIncomingFile, SpooledIncomingFile
from gql_server.artifacts.paths import check_sent
from gql_server.stores.allowed_roots import is_local
from schema.ports.errors import UnsupportedByStore

_REFUSED: Final = {"runs", "models", "azureml"}
"""Schemes that stand for other URIs, which would not be looked at, and that of Azure ML: its plugin writes
nothing, without a word, where it does not know the address of a file."""
_NOT_HERE: Final = "The artifacts of this run are at a place that this server does not write to."


class UploadTargets:
    """Finds what takes files, as far as this server writes for others: see `AccessPolicy`."""

    def __init__(self, tracking_uri: str, *, server_uri: str = "", roots: str = "") -> None:
        self._reach = AccessPolicy(tracking_uri, server_uri, roots)

    def receive(self, uri: str, parts: Sequence[str]) -> IncomingFile:
        """Return what takes a file at this path below a URI; UnsupportedByStore where nothing does.

        It blocks, and raises faults or what `fault_of` knows.
        """
        scheme = urlsplit(uri).scheme
        if is_local(uri):
            return LocalIncomingFile(self._reach.folder(uri, _NOT_HERE), parts)
        if scheme in _REFUSED or (scheme in OF_A_SERVER and not self._reach.is_of_server(uri)):
            raise UnsupportedByStore(_NOT_HERE)
        if scheme in OF_A_SERVER:
            check_sent("/".join(parts))
        return SpooledIncomingFile(self._reach.repository(uri, _NOT_HERE), parts)
