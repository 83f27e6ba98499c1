"""The command `gql-server`, run in a separate process."""

import socket
from pathlib import Path

import httpx
import pytest

from schema.build import build_schema
from tests.support.servers.free_ports import free_port
from tests.support.servers.server_process import run_command, running_server
from tests.support.stores.databases import MYSQL, require_database_server, tracking_uri
from tests.support.stores.store import Store


def test_schema_command_prints_the_schema() -> None:
    """`gql-server schema` prints the schema and nothing else; `--read-only` leaves mutations out."""
    for options, writable in (((), True), (("--read-only",), False)):
        result = run_command("schema", *options)
        assert result.returncode == 0
        assert result.stdout == build_schema(writable=writable).as_str() + "\n"
        assert result.stderr == ""


def test_help_shows_defaults_as_they_can_be_given() -> None:
    """`gql-server serve --help` shows each default in the form that its option or variable accepts."""
    help_text = " ".join(run_command("serve", "--help").stdout.split())
    assert "[default: RS256,ES256]" in help_text
    assert "[default: false]" in help_text


def test_serve_runs_until_it_is_interrupted(sqlite_store: Store) -> None:
    """`gql-server serve` serves queries and probes until SIGINT, and exits with code 0."""
    sqlite_store.client.create_experiment("over the wire")
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        query = '{ experiment(name: "over the wire") { name } server { store readOnly } }'
        data = server.query(query).json()["data"]
        assert data["experiment"] == {"name": "over the wire"}
        assert data["server"] == {"store": "SQL", "readOnly": True}
        assert server.get("/healthz").status_code == 200
        assert server.get("/readyz").status_code == 200
    assert server.process.returncode == 0
    assert "Traceback" not in "".join(server.printed)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - refused
def test_listening_on_all_interfaces_without_authentication_is_refused(
    sqlite_store: Store, host: str
) -> None:
    """Without authentication and the flag, an address other than loopback is an error of one line."""
    refused = run_command("serve", "--tracking-uri", sqlite_store.uri, "--host", host, "--port", "0")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "GQL_ALLOW_ANONYMOUS" in refused.stderr


def test_allow_anonymous_listens_on_all_interfaces(sqlite_store: Store, tmp_path: Path) -> None:
    """With the flag the server listens on all interfaces, as it does in a container.

    It says that local folders are not served then, unless some are listed.
    """
    options = ("--host", "0.0.0.0", "--allow-anonymous")  # noqa: S104
    with running_server("--tracking-uri", sqlite_store.uri, *options) as server:
        assert server.get("/readyz").status_code == 200
        assert "GQL_ARTIFACT_ROOTS" in "".join(server.printed)
    roots = ("--artifact-roots", str(tmp_path))
    with running_server("--tracking-uri", sqlite_store.uri, *options, *roots) as server:
        assert "GQL_ARTIFACT_ROOTS" not in "".join(server.printed)


def test_option_overrides_the_environment(sqlite_store: Store, tmp_path: Path) -> None:
    """The option has priority over GQL_TRACKING_URI, and that over MLFLOW_TRACKING_URI."""
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    with running_server(MLFLOW_TRACKING_URI=sqlite_store.uri) as server:
        assert server.get("/readyz").status_code == 200
    with running_server(MLFLOW_TRACKING_URI=missing, GQL_TRACKING_URI=sqlite_store.uri) as server:
        assert server.get("/readyz").status_code == 200
    with running_server("--tracking-uri", sqlite_store.uri, GQL_TRACKING_URI=missing) as server:
        assert server.get("/readyz").status_code == 200


def test_workers_have_the_settings_of_the_command(sqlite_store: Store) -> None:
    """With several workers each uses the settings that were given to the command."""
    sqlite_store.client.create_experiment("many")
    with running_server(
        "--tracking-uri", sqlite_store.uri, "--workers", "2", "--max-page-size", "70"
    ) as server:
        for _ in range(4):
            assert server.query('{ experiment(name: "many") { name } }').json()["data"]["experiment"]
            assert "0 to 70" in server.query("{ experiments(first: 71) { totalCount } }").text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tracking-uri", "nonsense://somewhere"), "nonsense"),
        (("--tracking-uri", "sqlite:////nowhere/at/all.db"), "/nowhere/at/all.db"),
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
def test_configuration_error_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    """A configuration error prints one line to stderr, without a traceback or password; exit code 2."""
    result = run_command("serve", *arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert message in result.stderr
    assert "tiger" not in result.stderr


def test_rejected_password_is_one_line() -> None:
    """The error names a database server that rejects the password, without the password."""
    require_database_server(MYSQL)
    uri = tracking_uri(MYSQL.set(username="nobody_at_all", password="wrong"))
    result = run_command("serve", "--tracking-uri", uri)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert str(MYSQL.host) in result.stderr
    assert "wrong" not in result.stderr


def test_port_in_use_is_one_line(sqlite_store: Store) -> None:
    """The error names a port that another process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run_command("serve", "--tracking-uri", sqlite_store.uri, "--port", str(port))
    assert result.returncode == 2
    assert str(port) in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_server_starts_without_its_store() -> None:
    """While its store is down the server starts, is alive, and is not ready."""
    with running_server(
        "--tracking-uri", f"http://127.0.0.1:{free_port()}", "--store-timeout", "5"
    ) as server:
        assert server.get("/healthz").status_code == 200
        assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == 503
        response = server.query("{ experiments { totalCount } }").json()
        assert response["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
