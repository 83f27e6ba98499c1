"""The codes with which the server closes a WebSocket."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Codes of RFC 6455 and of the protocol graphql-transport-ws.

    The client of the npm package graphql-ws connects again, with new connection parameters, after 1001, 1012,
    1013, 4403 and 4408. It gives up after the others.
    """

    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_INITIALISATIONS = 4429


class SocketClosed(Exception):
    """The server closes the WebSocket with a code and a reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # A close frame has 125 bytes, of which two are the code.
        self.reason = reason.encode()[:123].decode("utf-8", "ignore")
