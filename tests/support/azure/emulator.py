"""A workspace on loopback: a proxy over a real MLflow server that speaks, and refuses, as the service does.

It wants the bearer token that its own identity endpoint gave out, answers under the workspace's path alone,
and counts calls. It has what `tests.support.azure.refusals` says of filters and orders, no logged models,
traces or MLflow 3 endpoints, and does not rename experiments.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

import requests

from tests.support.azure import refusals
from tests.support.azure.refusals import NEWER, Edition, Refused

SCOPE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/research"
    "/providers/Microsoft.MachineLearningServices/workspaces/spirals"
)
_API = f"/mlflow/v2.0{SCOPE}/api/2.0"
_HISTORY = f"/history/v1.0{SCOPE}"
_JSON = "application/json"
_TOKEN_MARK = "continuation:"
_TOKEN_PATH = "/msi/token"
_OK = 200
_COUNTING = threading.Lock()


@dataclass
class Emulator:
    """What the emulator is told, and what it saw."""

    upstream: str
    host: str = ""
    edition: Edition = NEWER
    calls: Counter[str] = field(default_factory=Counter)
    """How often each endpoint was asked, by the end of its path."""
    tokens: list[str] = field(default_factory=list)
    """The tokens that were given out, oldest first."""
    taken_back: set[str] = field(default_factory=set)
    """The tokens that are not taken any more. Forgotten with the test: MLflow keeps the plugin's, too."""
    searches: list[dict[str, Any]] = field(default_factory=list)
    """The searches for runs, as they came."""
    refused: list[str] = field(default_factory=list)
    """What it said of the requests that it did not take."""
    lifetime: float = 3600.0
    """Seconds for which a token is said to hold."""
    identity: int = 200
    """The status with which the identity endpoint answers."""
    failures: deque[tuple[int, Mapping[str, str], bytes]] = field(default_factory=deque)
    """Answers to the next requests, whatever they are: status, headers, body."""
    artifacts: dict[str, list[str]] = field(default_factory=dict)
    """The artifacts of runs, by their ids."""
    artifacts_page: int = 2
    changing: threading.Lock = field(default_factory=threading.Lock)
    """Held for each change: what two at once do to a small database behind is no word of the service's."""
    opaque_ids: bool = False
    """Whether ids look as the service's do: GUIDs of experiments, job names of runs."""

    def count(self, call: str) -> None:
        """Count a call."""
        # A Counter lets other threads in where it has no number yet.
        with _COUNTING:
            self.calls[call] += 1

    def take_back(self) -> None:
        """Take none of the tokens any more that were given out so far."""
        self.taken_back.update(self.tokens)

    @property
    def uri(self) -> str:
        """Return the tracking URI of the workspace."""
        return f"azureml://{self.host}/mlflow/v1.0{SCOPE}"

    def artifact_location(self, experiment: str) -> str:
        """Return where the service has the runs of an experiment, as an experiment's artifact location."""
        return f"azureml://{self.host}/mlflow/v2.0{SCOPE}/experiments/{experiment}/runs"

    def reset(self) -> None:
        """Forget what one test told it, and what it saw."""
        fresh = Emulator(self.upstream, self.host, tokens=self.tokens)
        vars(self).update(vars(fresh))


@contextmanager
def emulating(upstream: str, certificate: Path) -> Iterator[tuple[Emulator, str]]:
    """Serve a workspace over an MLflow server; give it and the address of its identity endpoint."""
    emulator = Emulator(upstream)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    workspace = type("Workspace", (_Workspace,), {"emulator": emulator})
    identity = type("Identity", (_Identity,), {"emulator": emulator})
    with _listening(workspace, context) as host, _listening(identity) as identity_host:
        emulator.host = host
        yield emulator, f"http://{identity_host}{_TOKEN_PATH}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A store asks as many things at once as it has threads; of 5, the default, the sixth waits a second.
    request_queue_size = 128


@contextmanager
def _listening(handler: Any, context: ssl.SSLContext | None = None) -> Iterator[str]:
    with _Server(("127.0.0.1", 0), handler) as server:
        if context is not None:
            # The handshake is left to the thread of each connection.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    emulator: Emulator
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": _JSON, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Identity(_Handler):
    """What a managed identity gets its tokens from."""

    def do_GET(self) -> None:
        emulator = self.emulator
        emulator.count("token")
        if emulator.identity != _OK or self.headers.get("X-IDENTITY-HEADER") is None:
            self.reply(emulator.identity if emulator.identity != _OK else 401, b'{"error": "no"}')
            return
        token = f"token-{uuid4()}"
        emulator.tokens.append(token)
        answer = {
            "access_token": token,
            "expires_on": str(int(time.time() + emulator.lifetime)),
            "resource": parse_qs(urlsplit(self.path).query)["resource"][0],
            "token_type": "Bearer",
        }
        self.reply(200, json.dumps(answer).encode())


class _Workspace(_Handler):
    """The service."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        self.emulator.count(path.rpartition("/mlflow/")[2] or path)
        if self.emulator.failures:
            status, headers, text = self.emulator.failures.popleft()
            self.reply(status, text, headers)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.emulator.tokens or token in self.emulator.taken_back:
            self.refuse(401, "UNAUTHENTICATED", "Bearer token is missing or not valid.")
            return
        try:
            self.answer(path, body)
        except Refused as refusal:
            self.refuse(400, "BAD_REQUEST", str(refusal))

    do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815 - the names are http.server's

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer with an error in the service's own form."""
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
        self.reply(status, json.dumps(body).encode())

    def answer(self, path: str, body: bytes) -> None:
        """Answer a request that comes from somebody known."""
        if path.startswith(f"{_HISTORY}/experiments/"):
            self.list_artifacts(path)
        elif not path.startswith(f"{_API}/mlflow/"):
            self.reply(404)
        else:
            self.forward(path.removeprefix(f"{_API}/mlflow/"), self.asked(body))

    def asked(self, body: bytes) -> dict[str, Any]:
        """Return what is asked, whether in the address or in the body."""
        if self.command == "GET":
            return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        found: dict[str, Any] = json.loads(body or b"{}")
        return found

    def forward(self, endpoint: str, asked: dict[str, Any]) -> None:
        """Check a request, put it to the MLflow server behind, and answer in the service's words."""
        if endpoint.startswith(("logged-models", "traces", "prompts")):
            self.reply(404)
            return
        self.check(endpoint, asked)
        if "page_token" in asked:
            asked["page_token"] = _upstream_token(asked["page_token"])
        if self.emulator.opaque_ids:
            asked = json.loads(_own_ids(json.dumps(asked)))
        url = f"{self.emulator.upstream}/api/2.0/mlflow/{endpoint}"
        address = {"params": urlencode(asked, doseq=True)} if self.command == "GET" else {"json": asked}
        changes = self.command != "GET" and not endpoint.endswith("/search")
        with (
            self.emulator.changing if changes else nullcontext(),
            requests.request(self.command, url, timeout=60, **address) as found,
        ):
            if found.status_code == _OK:
                self.reply(200, self.told(found.content))
                return
            said = found.json()
            code = said["error_code"]
            known = "BAD_REQUEST" if code == "INVALID_PARAMETER_VALUE" else code
            self.refuse(found.status_code, known, said.get("message", ""))

    def check(self, endpoint: str, asked: dict[str, Any]) -> None:
        """Refuse what the service does not support."""
        edition = self.emulator.edition
        if endpoint == "runs/search":
            self.emulator.searches.append(dict(asked))
            refusals.check_order(asked.get("order_by", []), edition)
            _shorten(asked)
            asked["filter"] = refusals.check_runs_filter(asked.get("filter", ""), edition)
        elif endpoint == "experiments/search":
            _shorten(asked)
            asked["filter"] = refusals.check_experiments_filter(asked.get("filter", ""), edition)
        elif endpoint == "metrics/get-history":
            refusals.check_points(asked.get("max_results"))
        elif endpoint == "experiments/update":
            message = "Renaming experiments is not supported."
            raise Refused(message)
        elif endpoint == "registered-models/search":
            refusals.check_models_filter(asked.get("filter", ""))

    def told(self, body: bytes) -> bytes:
        """Return what the MLflow server said as the service would."""
        answer = json.loads(body)
        if answer.get("next_page_token"):
            mark = f"{_TOKEN_MARK}{answer['next_page_token']}".encode()
            answer["next_page_token"] = base64.b64encode(mark).decode()
        text = json.dumps(answer)
        return (_service_ids(text) if self.emulator.opaque_ids else text).encode()

    def list_artifacts(self, path: str) -> None:
        """Answer with a page of all artifacts of a run, and where the next one is."""
        query = parse_qs(urlsplit(self.path).query)
        if path.endswith("/artifacts/contentinfo"):
            # A file of the real service is elsewhere: in a storage account, which is not on loopback.
            address = {"contentUri": f"https://{self.emulator.host}/container/{query['path'][0]}?sig=abc"}
            self.reply(200, json.dumps(address).encode())
            return
        found = re.fullmatch(rf"{_HISTORY}/experiments/([^/]+)/runs/([^/]+)/artifacts", path)
        if found is None or found[2] not in self.emulator.artifacts:
            self.refuse(404, "RESOURCE_DOES_NOT_EXIST", "There is no such run.")
            return
        start, size = int(query.get("continuationToken", ["0"])[0]), self.emulator.artifacts_page
        paths = self.emulator.artifacts[found[2]]
        answer: dict[str, Any] = {
            "value": [
                {
                    "artifactId": f"ExperimentRun/dcid.{found[2]}/{one}",
                    "origin": "ExperimentRun",
                    "container": f"dcid.{found[2]}",
                    "path": one,
                    "etag": '"0x8D9"',
                    "createdTime": "2026-11-25T00:00:00+00:00",
                    "dataPath": None,
                }
                for one in paths[start : start + size]
            ]
        }
        if start + size < len(paths):
            answer["continuationToken"] = str(start + size)
            answer["nextLink"] = f"https://{self.emulator.host}{path}?continuationToken={start + size}"
        self.reply(200, json.dumps(answer).encode())


def _shorten(asked: dict[str, Any]) -> None:
    asked["max_results"] = min(int(asked.get("max_results", refusals.LARGEST_PAGE)), refusals.LARGEST_PAGE)


def _upstream_token(token: str) -> str:
    try:
        text = base64.b64decode(token, validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith(_TOKEN_MARK):
        message = "The continuation token is not valid."
        raise Refused(message)
    return text.removeprefix(_TOKEN_MARK)


_JOB, _GUID = "upbeat_square_", "00000000-0000-4000-8000-"


def _own_ids(text: str) -> str:
    text = re.sub(rf"{_JOB}([0-9a-f]{{32}})", r"\1", text)
    return re.sub(rf"{_GUID}0*([0-9]+)", r"\1", text)


def _service_ids(text: str) -> str:
    text = re.sub(r'("run_(?:id|uuid)": ")([0-9a-f]{32}")', rf"\1{_JOB}\2", text)
    return re.sub(r'("experiment_id": ")([0-9]+)"', lambda found: f'{found[1]}{_GUID}{found[2]:0>12}"', text)
