"""What the server imports: MLflow takes seconds and 200 MB, pandas 50 MB, and reading needs none of them."""

import os
import subprocess
import sys
from pathlib import Path

from mlflow.entities import Metric, Param

from tests.support.stores.store import Store

_SERVE = """
import asyncio, sys
import httpx
from gql_server.serving import worker_app
from gql_server.config.settings import Settings

async def main():
    app = worker_app(Settings(tracking_uri=sys.argv[1], port=0))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            query = '{ server { features } runs(filter: "metrics.a < 1") { nodes { metrics { value } } } }'
            response = await client.post("/graphql", json={"query": query})
            assert response.status_code == 200 and "errors" not in response.json(), response.text
            assert (await client.get("/readyz")).status_code == 200
            for name in ("runs.csv", "params.arrow", "runs.arrow?wide=true", "metrics.parquet"):
                assert (await client.get(f"/tables/{name}")).status_code == 200

asyncio.run(main())
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_reading_a_database_does_not_import_mlflow(sqlite_store: Store) -> None:
    """A server over a database answers queries, probes and tables without MLflow, Alembic and pandas."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    sqlite_store.client.log_batch(run_id, [Metric("a", 0.5, 1, 1)], [Param("p", "x")])
    result = subprocess.run(
        [sys.executable, "-c", _SERVE, sqlite_store.uri],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
        env={name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"},
    )
    assert result.returncode == 0, result.stderr
    imported = set(result.stdout.split())
    assert "sqlalchemy" in imported
    assert imported.isdisjoint({"mlflow", "alembic", "google", "pandas", "azureml"})
