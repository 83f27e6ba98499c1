"""The encodings of a request's body that the server reads: none."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError

_PLAIN: Final = "identity"


def check_content_encoding(headers: Mapping[str, str]) -> None:
    """Raise `RequestError`, 415, if the body of a request is compressed or encoded otherwise.

    It would be read as it is: as invalid JSON, or as the content of a file.
    """
    codings = {coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")}
    if codings - {"", _PLAIN}:
        # RFC 7694 lets clients learn the accepted encodings from Accept-Encoding.
        message = "The body has a Content-Encoding, which this server does not decode; send it without."
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        raise RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, status, accept_encoding=_PLAIN)
