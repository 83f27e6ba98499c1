"""A workspace on loopback: a proxy of a real MLflow server with the API and the restrictions of the service.

It requires a bearer token of its identity endpoint, serves only the path of the workspace, and counts
calls. It supports the filters and orders of `tests.support.azure.refusals`, has no logged models, traces or
MLflow 3 endpoints, and does not rename experiments.
"""

import base64
import json
import re
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

import requests

from tests.support.azure import refusals
from tests.support.azure.loopback_server import JsonHandler, serve
from tests.support.azure.refusals import NEWER, Edition, Refused
from tests.support.azure.service_ids import (
    TOKEN_MARK,
    limit_page_size,
    service_ids,
    upstream_ids,
    upstream_token,
)

SCOPE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/research"
    "/providers/Microsoft.MachineLearningServices/workspaces/spirals"
)
_API = f"/mlflow/v2.0{SCOPE}/api/2.0"
_HISTORY = f"/history/v1.0{SCOPE}"
_JSON = "application/json"
_TOKEN_PATH = "/msi/token"
_OK = 200
_COUNT_LOCK = threading.Lock()


@dataclass
class Emulator:
    """The configuration of the emulator, and a record of its requests."""

    upstream: str
    host: str = ""
    edition: Edition = NEWER
    calls: Counter[str] = field(default_factory=Counter)
    """The number of requests per endpoint, by the end of its path."""
    tokens: list[str] = field(default_factory=list)
    """The tokens issued, oldest first."""
    revoked_tokens: set[str] = field(default_factory=set)
    """The tokens that are refused. Reset with each test, because MLflow caches the plugin's tokens."""
    searches: list[dict[str, Any]] = field(default_factory=list)
    """The searches for runs, as received."""
    refused: list[str] = field(default_factory=list)
    """The messages of refused requests."""
    lifetime: float = 3600.0
    """The lifetime of tokens in seconds."""
    identity_status: int = 200
    """The status of the identity endpoint's responses."""
    failures: deque[tuple[int, Mapping[str, str], bytes]] = field(default_factory=deque)
    """Responses to the next requests: status, headers, body."""
    artifacts: dict[str, list[str]] = field(default_factory=dict)
    """The artifacts of runs, by their ids."""
    artifacts_page: int = 2
    write_lock: threading.Lock = field(default_factory=threading.Lock)
    """Serializes changes, because concurrent ones fail in the upstream server's SQLite database."""
    opaque_ids: bool = False
    """Whether ids have the service's form: GUIDs of experiments, job names of runs."""

    def count(self, call: str) -> None:
        """Count a call."""
        # Incrementing a Counter is not atomic.
        with _COUNT_LOCK:
            self.calls[call] += 1

    def revoke_tokens(self) -> None:
        """Revoke all tokens issued so far."""
        self.revoked_tokens.update(self.tokens)

    @property
    def uri(self) -> str:
        """Return the tracking URI of the workspace."""
        return f"azureml://{self.host}/mlflow/v1.0{SCOPE}"

    def artifact_location(self, experiment: str) -> str:
        """Return the artifact location of an experiment in the service."""
        return f"azureml://{self.host}/mlflow/v2.0{SCOPE}/experiments/{experiment}/runs"

    def reset(self) -> None:
        """Reset the configuration and the record to those of a new emulator."""
        fresh = Emulator(self.upstream, self.host, tokens=self.tokens)
        vars(self).update(vars(fresh))


@contextmanager
def emulated_workspace(upstream: str, certificate: Path) -> Iterator[tuple[Emulator, str]]:
    """Serve a workspace over an MLflow server; yield it and the URL of its identity endpoint."""
    emulator = Emulator(upstream)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    workspace = type("Workspace", (_Workspace,), {"emulator": emulator})
    identity = type("Identity", (_Identity,), {"emulator": emulator})
    with serve(workspace, context) as host, serve(identity) as identity_host:
        emulator.host = host
        yield emulator, f"http://{identity_host}{_TOKEN_PATH}"


class _Handler(JsonHandler):
    emulator: Emulator


class _Identity(_Handler):
    """The token endpoint of a managed identity."""

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        emulator = self.emulator
        emulator.count("token")
        if emulator.identity_status != _OK or self.headers.get("X-IDENTITY-HEADER") is None:
            self.respond(
                emulator.identity_status if emulator.identity_status != _OK else 401, b'{"error": "no"}'
            )
            return
        token = f"token-{uuid4()}"
        emulator.tokens.append(token)
        response = {
            "access_token": token,
            "expires_on": str(int(time.time() + emulator.lifetime)),
            "resource": parse_qs(urlsplit(self.path).query)["resource"][0],
            "token_type": "Bearer",
        }
        self.respond(200, json.dumps(response).encode())


class _Workspace(_Handler):
    """The workspace's API."""

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        self.emulator.count(path.rpartition("/mlflow/")[2] or path)
        if self.emulator.failures:
            status, headers, text = self.emulator.failures.popleft()
            self.respond(status, text, headers)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.emulator.tokens or token in self.emulator.revoked_tokens:
            self.refuse(401, "UNAUTHENTICATED", "Bearer token is missing or not valid.")
            return
        try:
            self.handle_request(path, body)
        except Refused as refusal:
            self.refuse(400, "BAD_REQUEST", str(refusal))

    do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815 - the names are http.server's

    def refuse(self, status: int, code: str, message: str) -> None:
        """Send an error response in the service's format."""
        self.emulator.refused.append(message)
        body = {
            "Error": {
                "Code": "UserError" if status < 500 else "ServiceError",
                "Severity": None,
                "Message": message,
                "MessageFormat": None,
                "MessageParameters": {},
                "InnerError": None,
                "AdditionalInfo": None,
            },
            "Correlation": {"operation": "0af7651916cd43dd8448eb211c80319c", "request": "b7ad6b7169203331"},
            "Environment": "westeurope",
            "Location": "westeurope",
            "Time": "2026-11-25T00:00:00.0000000+00:00",
            "ComponentName": "mlflow",
            "statusCode": status,
            "error_code": code,
        }
        self.respond(status, json.dumps(body).encode())

    def handle_request(self, path: str, body: bytes) -> None:
        """Respond to an authenticated request."""
        if path.startswith(f"{_HISTORY}/experiments/"):
            self.list_artifacts(path)
        elif not path.startswith(f"{_API}/mlflow/"):
            self.respond(404)
        else:
            self.forward(path.removeprefix(f"{_API}/mlflow/"), self.parameters(body))

    def parameters(self, body: bytes) -> dict[str, Any]:
        """Return the request's parameters from the query string or the body."""
        if self.command == "GET":
            return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        parameters: dict[str, Any] = json.loads(body or b"{}")
        return parameters

    def forward(self, endpoint: str, parameters: dict[str, Any]) -> None:
        """Check a request, forward it to the upstream MLflow server, and convert the response."""
        if endpoint.startswith(("logged-models", "traces", "prompts")):
            self.respond(404)
            return
        self.check(endpoint, parameters)
        if "page_token" in parameters:
            parameters["page_token"] = upstream_token(parameters["page_token"])
        if self.emulator.opaque_ids:
            parameters = json.loads(upstream_ids(json.dumps(parameters)))
        url = f"{self.emulator.upstream}/api/2.0/mlflow/{endpoint}"
        arguments = (
            {"params": urlencode(parameters, doseq=True)} if self.command == "GET" else {"json": parameters}
        )
        changes = self.command != "GET" and not endpoint.endswith("/search")
        with (
            self.emulator.write_lock if changes else nullcontext(),
            requests.request(self.command, url, timeout=60, **arguments) as response,
        ):
            if response.status_code == _OK:
                self.respond(200, self.converted(response.content))
                return
            error = response.json()
            code = error["error_code"]
            service_code = "BAD_REQUEST" if code == "INVALID_PARAMETER_VALUE" else code
            self.refuse(response.status_code, service_code, error.get("message", ""))

    def check(self, endpoint: str, parameters: dict[str, Any]) -> None:
        """Refuse requests that the service does not support."""
        edition = self.emulator.edition
        if endpoint == "runs/search":
            self.emulator.searches.append(dict(parameters))
            refusals.check_order(parameters.get("order_by", []), edition)
            limit_page_size(parameters)
            parameters["filter"] = refusals.check_runs_filter(parameters.get("filter", ""), edition)
        elif endpoint == "experiments/search":
            limit_page_size(parameters)
            parameters["filter"] = refusals.check_experiments_filter(parameters.get("filter", ""), edition)
        elif endpoint == "metrics/get-history":
            refusals.check_points(parameters.get("max_results"))
        elif endpoint == "experiments/update":
            message = "Renaming experiments is not supported."
            raise Refused(message)
        elif endpoint == "registered-models/search":
            refusals.check_models_filter(parameters.get("filter", ""))

    def converted(self, body: bytes) -> bytes:
        """Return the upstream server's response body in the service's form."""
        response = json.loads(body)
        if response.get("next_page_token"):
            mark = f"{TOKEN_MARK}{response['next_page_token']}".encode()
            response["next_page_token"] = base64.b64encode(mark).decode()
        text = json.dumps(response)
        return (service_ids(text) if self.emulator.opaque_ids else text).encode()

    def list_artifacts(self, path: str) -> None:
        """Send a page of all artifacts of a run, with the link to the next page."""
        query = parse_qs(urlsplit(self.path).query)
        if path.endswith("/artifacts/contentinfo"):
            # The real service stores files in a storage account, which has no emulation on loopback.
            content = {"contentUri": f"https://{self.emulator.host}/container/{query['path'][0]}?sig=abc"}
            self.respond(200, json.dumps(content).encode())
            return
        match = re.fullmatch(rf"{_HISTORY}/experiments/([^/]+)/runs/([^/]+)/artifacts", path)
        if match is None or match[2] not in self.emulator.artifacts:
            self.refuse(404, "RESOURCE_DOES_NOT_EXIST", "There is no such run.")
            return
        start, size = int(query.get("continuationToken", ["0"])[0]), self.emulator.artifacts_page
        paths = self.emulator.artifacts[match[2]]
        page: dict[str, Any] = {
            "value": [
                {
                    "artifactId": f"ExperimentRun/dcid.{match[2]}/{artifact}",
                    "origin": "ExperimentRun",
                    "container": f"dcid.{match[2]}",
                    "path": artifact,
                    "etag": '"0x8D9"',
                    "createdTime": "2026-11-25T00:00:00+00:00",
                    "dataPath": None,
                }
                for artifact in paths[start : start + size]
            ]
        }
        if start + size < len(paths):
            page["continuationToken"] = str(start + size)
            page["nextLink"] = f"https://{self.emulator.host}{path}?continuationToken={start + size}"
        self.respond(200, json.dumps(page).encode())
