"""Tests of documents by their SHA-256."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from gql_server.config.settings import Settings
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.operations.trusted_documents import DocumentsFolderError
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

TRUSTED = "query Trusted { server { version } }\r\n"
OTHER = "{ server { store } }"
BROKEN = "{ nope }"


def hash_of(source: str) -> str:
    """Return a document's SHA-256."""
    return sha256(source.encode()).hexdigest()


def apollo(source: str) -> dict[str, Any]:
    """Return the parameters by which Apollo's clients name a document."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(source)}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one trusted document."""
    (tmp_path / "trusted.graphql").write_bytes(TRUSTED.encode())
    return tmp_path


async def codes(client: httpx.AsyncClient, body: dict[str, Any]) -> list[str]:
    """Return the codes of the errors that a request gets."""
    response = (await client.post("/graphql", json=body)).json()
    return [error["extensions"]["code"] for error in response.get("errors", ())]


@pytest.mark.parametrize("mode", ["allow", "only"])
async def test_trusted_document_is_executed_by_its_hash(folder: Path, mode: str) -> None:
    """A trusted document is executed by its hash in each format of clients, and in full, by GET and POST."""
    async with app_client(MemoryTracking([]), documents_mode=mode, documents_folder=str(folder)) as client:
        document_id = hash_of(TRUSTED)
        for body in (
            {"documentId": document_id},
            {"documentId": f"sha256:{document_id}"},
            apollo(TRUSTED),
            {"query": TRUSTED},
            {"query": TRUSTED, "documentId": document_id},
        ):
            assert await codes(client, body) == []
        response = await client.get("/graphql", params={"documentId": document_id}, headers={"accept": "*/*"})
        assert response.json()["data"]["server"]


async def test_mode_only_refuses_other_documents(folder: Path) -> None:
    """In mode `only`, no other document is executed: in full, with its hash, or after it was sent with it."""
    async with app_client(
        MemoryTracking([]), documents_mode="only", documents_folder=str(folder), persisted_queries=100
    ) as client:
        for body in (
            {"query": OTHER},
            {"query": "{ __schema { types { name } } }"},
            {"query": OTHER, "documentId": hash_of(OTHER)},
            {"query": OTHER, **apollo(OTHER)},
            apollo(OTHER),
            {"documentId": "0" * 64},
        ):
            assert await codes(client, body) == ["DOCUMENT_NOT_TRUSTED"]
        assert await codes(client, {"query": OTHER, "documentId": hash_of(TRUSTED)}) == [
            "GRAPHQL_VALIDATION_FAILED"
        ]


async def test_sent_document_is_executed_by_its_hash_later() -> None:
    """A document that was sent with its hash is executed by the hash later; before, it is not found."""
    async with app_client(MemoryTracking([]), persisted_queries=2) as client:
        missing = (await client.post("/graphql", json=apollo(OTHER))).json()["errors"][0]
        assert missing["message"] == "PersistedQueryNotFound"
        assert missing["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert await codes(client, {"query": OTHER, **apollo(OTHER)}) == []
        assert await codes(client, apollo(OTHER)) == []
        assert await codes(client, {"query": TRUSTED, **apollo(OTHER)}) == ["GRAPHQL_VALIDATION_FAILED"]
        assert await codes(client, apollo(OTHER)) == []


async def test_document_of_a_cached_response_is_stored() -> None:
    """A document is stored for clients also if its response comes from the response cache."""
    async with app_client(MemoryTracking([]), persisted_queries=2, cache_running_seconds=600) as client:
        await client.post("/graphql", json={"query": OTHER})
        again = await client.post("/graphql", json={"query": OTHER, **apollo(OTHER)})
        assert "age" in again.headers
        assert await codes(client, apollo(OTHER)) == []


async def test_stored_documents_are_limited() -> None:
    """The least recently used documents are dropped; invalid and very long ones are not stored."""
    async with app_client(MemoryTracking([]), persisted_queries=2) as client:
        several = [f"{{ a{number}: server {{ version }} }}" for number in range(3)]
        for source in several:
            assert await codes(client, {"query": source, **apollo(source)}) == []
        results = [await codes(client, apollo(source)) for source in several]
        assert results == [["PERSISTED_QUERY_NOT_FOUND"], [], []]
        long = OTHER + " " * 30_000
        for source, first in ((BROKEN, ["GRAPHQL_VALIDATION_FAILED"]), (long, [])):
            assert await codes(client, {"query": source, **apollo(source)}) == first
            assert await codes(client, apollo(source)) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_persisted_queries_are_off_by_default() -> None:
    """By default the error for a hash is not supported, and a document in full is executed."""
    async with app_client(MemoryTracking([])) as client:
        assert await codes(client, apollo(OTHER)) == ["PERSISTED_QUERY_NOT_SUPPORTED"]
        assert await codes(client, {"query": OTHER, **apollo(OTHER)}) == []
        assert await codes(client, apollo(OTHER)) == ["PERSISTED_QUERY_NOT_SUPPORTED"]


@pytest.mark.parametrize("given", ["", "a" * 201, "a b", "\xe9", "../../etc/passwd", 1, [], {}])
async def test_invalid_document_id_gets_400(given: Any) -> None:
    """A document id that no manifest can have gets 400."""
    async with app_client(MemoryTracking([]), persisted_queries=2) as client:
        assert (await client.post("/graphql", json={"documentId": given})).status_code == 400


@pytest.mark.parametrize("given", ["0" * 63, "g" * 64, "Name-1"])
async def test_document_is_not_stored_under_another_id_than_its_hash(given: str) -> None:
    """A client can register a document by its SHA-256 only; other ids are those of manifests."""
    async with app_client(MemoryTracking([]), persisted_queries=2) as client:
        assert await codes(client, {"documentId": given}) == ["PERSISTED_QUERY_NOT_FOUND"]
        assert await codes(client, {"query": OTHER, "documentId": given}) == ["GRAPHQL_VALIDATION_FAILED"]
        assert await codes(client, {"documentId": given}) == ["PERSISTED_QUERY_NOT_FOUND"]


def test_documents_folder_is_checked(folder: Path) -> None:
    """A file named for another hash, an empty folder and a missing folder are errors of configuration."""
    settings = Settings(tracking_uri="unused:", documents_mode="allow", documents_folder=str(folder))
    assert list(PersistedDocuments.from_settings(settings).trusted) == [hash_of(TRUSTED)]
    right = folder / f"{hash_of(OTHER)}.graphql"
    right.write_text(OTHER)
    assert set(PersistedDocuments.from_settings(settings).trusted) == {hash_of(TRUSTED), hash_of(OTHER)}
    right.write_text(BROKEN)
    with pytest.raises(DocumentsFolderError, match="another hash"):
        PersistedDocuments.from_settings(settings)
    right.write_bytes(b"\xff")
    with pytest.raises(DocumentsFolderError, match="cannot be read"):
        PersistedDocuments.from_settings(settings)
    with pytest.raises(DocumentsFolderError, match="no document"):
        PersistedDocuments.from_settings(
            settings.model_copy(update={"documents_folder": str(folder / "absent")})
        )
    with pytest.raises(ValidationError, match="GQL_DOCUMENTS_FOLDER"):
        Settings(tracking_uri="unused:", documents_mode="only")
