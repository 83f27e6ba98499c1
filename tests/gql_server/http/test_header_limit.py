"""How large the headers of a request may be."""

import httpx
import pytest


@pytest.mark.parametrize("name", ["accept", "accept-encoding", "authorization", "if-none-match", "x-other"])
async def test_too_large_headers_are_refused(client: httpx.AsyncClient, name: str) -> None:
    """One header, or all together, beyond what anyone needs gets 431 in JSON, on every path."""
    for path in ("/graphql", "/healthz", "/nothing"):
        response = await client.get(path, headers={name: "a," * 35_000})
        assert response.status_code == 431
        assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    many = [("x-other", "a" * 90)] * 800
    assert (await client.get("/healthz", headers=many)).status_code == 431


async def test_large_headers_are_taken(client: httpx.AsyncClient) -> None:
    """What proxies let through, a token of 30 kB say, is let through here."""
    response = await client.get("/healthz", headers={"authorization": "Bearer " + "a" * 30_000})
    assert response.status_code == 200
