"""The command, run as its users run it."""

import socket
from pathlib import Path

import httpx
import pytest

from schema.build import build_schema
from tests.support.server_process import run_command, running_server
from tests.support.servers import free_port
from tests.support.stores import Store


def test_the_schema_is_printed() -> None:
    """`gql-server schema` prints the whole schema and nothing else; `--read-only` leaves mutations out."""
    for options, writable in (((), True), (("--read-only",), False)):
        result = run_command("schema", *options)
        assert result.returncode == 0
        assert result.stdout == build_schema(writable=writable).as_str() + "\n"
        assert result.stderr == ""


def test_defaults_are_told_as_they_are_read() -> None:
    """`gql-server serve --help` shows each default so that it can be given."""
    told = " ".join(run_command("serve", "--help").stdout.split())
    assert "[default: RS256,ES256]" in told
    assert "[default: false]" in told


def test_serve_serves(sqlite_store: Store) -> None:
    """`gql-server serve` answers queries and probes until it is told to stop, and stops cleanly."""
    sqlite_store.client.create_experiment("over the wire")
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        answer = server.query(
            '{ experiment(name: "over the wire") { name } server { store readOnly } }'
        ).json()
        assert answer["data"]["experiment"] == {"name": "over the wire"}
        assert answer["data"]["server"] == {"store": "SQL", "readOnly": True}
        assert server.get("/healthz").status_code == 200
        assert server.get("/readyz").status_code == 200
    assert server.process.returncode == 0
    assert "Traceback" not in "".join(server.printed)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what is refused
def test_other_machines_are_let_in_only_if_told_so(sqlite_store: Store, host: str) -> None:
    """Listening beyond this machine with nobody asked who they are wants a flag, or ends with one line."""
    refused = run_command("serve", "--tracking-uri", sqlite_store.uri, "--host", host, "--port", "0")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "GQL_ALLOW_ANONYMOUS" in refused.stderr


def test_a_flag_lets_other_machines_in(sqlite_store: Store) -> None:
    """With the flag the server listens to all, as it does in a container."""
    told = ("--host", "0.0.0.0", "--allow-anonymous")  # noqa: S104
    with running_server("--tracking-uri", sqlite_store.uri, *told) as server:
        assert server.get("/readyz").status_code == 200


def test_the_environment_names_the_store(sqlite_store: Store, tmp_path: Path) -> None:
    """MLFLOW_TRACKING_URI is honoured, GQL_TRACKING_URI goes before it, and an option before both."""
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    with running_server(MLFLOW_TRACKING_URI=sqlite_store.uri) as server:
        assert server.get("/readyz").status_code == 200
    with running_server(MLFLOW_TRACKING_URI=missing, GQL_TRACKING_URI=sqlite_store.uri) as server:
        assert server.get("/readyz").status_code == 200
    with running_server("--tracking-uri", sqlite_store.uri, GQL_TRACKING_URI=missing) as server:
        assert server.get("/readyz").status_code == 200


def test_several_workers_serve(sqlite_store: Store) -> None:
    """With several workers each answers, with the settings given to the command."""
    sqlite_store.client.create_experiment("many")
    with running_server(
        "--tracking-uri", sqlite_store.uri, "--workers", "2", "--max-page-size", "70"
    ) as server:
        for _ in range(4):
            assert server.query('{ experiment(name: "many") { name } }').json()["data"]["experiment"]
            assert "0 to 70" in server.query("{ experiments(first: 71) { totalCount } }").text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tracking-uri", "nonsense://somewhere"), "nonsense"),
        (("--tracking-uri", "sqlite:////nowhere/at/all.db"), "/nowhere/at/all.db"),
        (("--tracking-uri", "mysql+pymysql://root:wrong@127.0.0.1:3306/test"), "127.0.0.1"),
        (("--tracking-uri", "oracle://scott:tiger@127.0.0.1/db"), "oracle"),
        (("--tracking-uri", "azureml://[::1/mlflow"), "is not a URI"),
        (("--registry-uri", "postgresql://scott:tiger[@127.0.0.1/db"), "is not a URI"),
        (("--port", "99999"), "port"),
        (("--store-timeout", "never"), "--store-timeout"),
        (("--workers", "0"), "workers"),
        (("--auth", "keys"), "Error: GQL_AUTH=keys needs GQL_API_KEYS_FILE"),
        (
            ("--allowed-origins", "https://a.example,https://b.example/"),
            "allowed_origins: 'https://b.example/'",
        ),
        (("--allowed-origins", "app.example"), "allowed_origins: 'app.example'"),
        (("--allowed-hosts", "a.example, b.example:8443"), "allowed_hosts: 'b.example:8443'"),
        (("--rate-limit", "5/fortnight"), "GQL_RATE_LIMIT=5/fortnight"),
    ],
)
def test_what_cannot_be_served_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    """What someone must mend first is one line on stderr with exit code 2, no traceback and no password."""
    result = run_command("serve", *arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert said in result.stderr
    assert "wrong" not in result.stderr
    assert "tiger" not in result.stderr


def test_a_port_in_use_is_one_line(sqlite_store: Store) -> None:
    """A port that another process listens on is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_command("serve", "--tracking-uri", sqlite_store.uri, "--port", str(port))
    assert result.returncode == 2
    assert str(port) in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_store_that_is_down_does_not_stop_the_server() -> None:
    """Over a store that is down the server comes up, lives, and is not ready."""
    with running_server(
        "--tracking-uri", f"http://127.0.0.1:{free_port()}", "--store-timeout", "5"
    ) as server:
        assert server.get("/healthz").status_code == 200
        assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == 503
        answer = server.query("{ experiments { totalCount } }").json()
        assert answer["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
