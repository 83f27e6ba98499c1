"""Sending a refusal in place of uvicorn's own response."""

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gql_server.http.parsers.discarding_protocol import DiscardingProtocol
from gql_server.http.parsers.refusal import Refusal


def refuse(protocol: HttpToolsProtocol | H11Protocol, refusal: Refusal) -> None:
    """Send a refusal, end the connection, and let an application that reads the request see a disconnect."""
    transport = protocol.transport
    transport.write(refusal.response(protocol.server_state.default_headers))
    protocol.flow.resume_reading()
    transport.set_protocol(DiscardingProtocol(transport))
    protocol.connection_lost(ConnectionAbortedError(refusal.message))
    transport.write_eof()
