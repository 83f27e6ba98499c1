"""Tests of the limit on the size of headers."""

import httpx
import pytest


@pytest.mark.parametrize("name", ["accept", "accept-encoding", "authorization", "if-none-match", "x-other"])
async def test_too_large_headers_get_431(client: httpx.AsyncClient, name: str) -> None:
    """One header, or all together, above the limit gets 431 in JSON, on every path."""
    for path in ("/graphql", "/healthz", "/nothing"):
        response = await client.get(path, headers={name: "a," * 35_000})
        assert response.status_code == 431
        assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    many = [("x-other", "a" * 90)] * 800
    assert (await client.get("/healthz", headers=many)).status_code == 431


async def test_large_headers_within_the_limit_are_accepted(client: httpx.AsyncClient) -> None:
    """Headers that proxies accept, such as a token of 30 kB, are accepted."""
    response = await client.get("/healthz", headers={"authorization": "Bearer " + "a" * 30_000})
    assert response.status_code == 200
