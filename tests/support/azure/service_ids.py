"""Ids, tokens and page sizes of the service, and those of the MLflow server behind the emulator."""

import base64
import re
from typing import Any

from tests.support.azure import refusals
from tests.support.azure.refusals import Refused

TOKEN_MARK = "continuation:"
_JOB, _GUID = "upbeat_square_", "00000000-0000-4000-8000-"


def limit_page_size(parameters: dict[str, Any]) -> None:
    """Limit the page size of a search to the service's maximum."""
    parameters["max_results"] = min(
        int(parameters.get("max_results", refusals.MAX_PAGE_SIZE)), refusals.MAX_PAGE_SIZE
    )


def upstream_token(token: str) -> str:
    """Return the upstream server's token in a continuation token of the service."""
    try:
        text = base64.b64decode(token, validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith(TOKEN_MARK):
        message = "The continuation token is not valid."
        raise Refused(message)
    return text.removeprefix(TOKEN_MARK)


def upstream_ids(text: str) -> str:
    """Replace the service's ids in a text by those of the upstream server."""
    text = re.sub(rf"{_JOB}([0-9a-f]{{32}})", r"\1", text)
    return re.sub(rf"{_GUID}0*([0-9]+)", r"\1", text)


def service_ids(text: str) -> str:
    """Replace the upstream server's ids in a response by those of the service."""
    text = re.sub(r'("run_(?:id|uuid)": ")([0-9a-f]{32}")', rf"\1{_JOB}\2", text)
    return re.sub(r'("experiment_id": ")([0-9]+)"', lambda match: f'{match[1]}{_GUID}{match[2]:0>12}"', text)
