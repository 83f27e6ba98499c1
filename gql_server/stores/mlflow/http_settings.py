"""Process-wide settings for the HTTP requests of MLflow's client."""

import logging
import math
import os

from gql_server.runtime.cancellable_http import make_requests_cancellable


def configure_http(threads: int, timeout: float) -> None:
    """Make requests cancellable, silence their logs, and set MLflow's variables that the user has not set.

    MLflow's defaults wait 120 seconds for a response and retry seven times over four minutes, longer than a
    client waits for a page. One retry remains, for a connection that the server closed while it was idle.
    An hour in a `Retry-After` header would block the thread, and nothing could end that wait.
    """
    make_requests_cancellable()
    # urllib3's messages contain addresses, and therefore the names that were requested.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(math.ceil(timeout)))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    os.environ.setdefault("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false")
    os.environ.setdefault("MLFLOW_HTTP_POOL_MAXSIZE", str(threads))
