"""Files and tables are guarded as the graph is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx

from gql_server.auth.api_keys import new_key

PATHS = ("/tables/runs.csv", "/artifacts/" + "0" * 32 + "/a.txt", "/model-artifacts/m-1/a.txt")


async def test_files_and_tables_need_credentials(
    client_with: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]], tmp_path: Path
) -> None:
    """Without a key no table, file or upload is there for anyone, and a key to read with changes nothing."""
    key, line = new_key("reader", write=False)
    (tmp_path / "keys").write_text(line)
    async with client_with(auth="keys", api_keys_file=str(tmp_path / "keys")) as client:
        for path in PATHS:
            for method in ("GET", "HEAD", "PUT"):
                response = await client.request(method, path)
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"]
            known = {"x-api-key": key}
            assert (await client.put(path, content=b"a", headers=known)).status_code == 403
        assert (await client.get(PATHS[0], headers=known)).status_code == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_pages_of_other_sites_upload_nothing(
    client_with: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    """What another site's page makes a browser send changes no file."""
    async with client_with() as client:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            assert (await client.put(PATHS[1], content=b"a", headers=headers)).status_code == 403
