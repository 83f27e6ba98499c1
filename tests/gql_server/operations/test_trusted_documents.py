"""Trusted documents in files and in the manifests of clients' compilers."""

import json
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any

import pytest

from gql_server.operations.trusted_documents import DocumentsFolderError, read_trusted_documents
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

SOURCE = "query Trusted { server { version } }"
OTHER = "{ server { store } }"
SHA256 = sha256(SOURCE.encode()).hexdigest()
MD5 = md5(SOURCE.encode()).hexdigest()  # noqa: S324 - Relay's default
SHA1 = sha1(SOURCE.encode()).hexdigest()  # noqa: S324 - codegen's default
OPERATION = {"id": SHA256, "name": "Trusted", "type": "query", "body": SOURCE}
APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [OPERATION]}
MANIFESTS: dict[str, tuple[Any, str]] = {
    "Relay": ({MD5: SOURCE}, MD5),
    "Relay with SHA-256": ({SHA256: SOURCE}, SHA256),
    "codegen": ({SHA1: SOURCE}, SHA1),
    "codegen with its own function": ({"Trusted-1": SOURCE}, "Trusted-1"),
    "Apollo": (APOLLO, SHA256),
    "Apollo with its own ids": (APOLLO | {"operations": [OPERATION | {"id": "a.b:c"}]}, "a.b:c"),
    "Apollo Kotlin": ({SHA256: {"name": "Trusted", "source": SOURCE}}, SHA256),
}


@pytest.mark.parametrize("mode", ["allow", "only"])
@pytest.mark.parametrize("manifest", MANIFESTS)
async def test_document_of_a_manifest_is_executed(tmp_path: Path, manifest: str, mode: str) -> None:
    """A document is executed by the id in the manifest, by its SHA-256, and in full."""
    content, document_id = MANIFESTS[manifest]
    (tmp_path / "persisted.json").write_text(json.dumps(content))
    async with app_client(MemoryTracking([]), documents_mode=mode, documents_folder=str(tmp_path)) as client:
        for body in (
            {"documentId": document_id},
            {"documentId": SHA256},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": document_id}}},
            {"query": SOURCE},
            {"query": SOURCE, "documentId": document_id},
            {"query": "", "documentId": document_id},
        ):
            assert "data" in (await client.post("/graphql", json=body)).json(), body
        parameters = {"documentId": document_id, "query": ""}
        assert (await client.get("/graphql", params=parameters, headers={"accept": "*/*"})).json()["data"]
        contradicting = {"query": OTHER, "documentId": document_id}
        (error,) = (await client.post("/graphql", json=contradicting)).json()["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        (unknown,) = (await client.post("/graphql", json={"documentId": "unknown"})).json()["errors"]
        expected = {"allow": "PERSISTED_QUERY_NOT_FOUND", "only": "DOCUMENT_NOT_TRUSTED"}
        assert unknown["extensions"]["code"] == expected[mode]


def test_folder_may_have_manifests_and_documents(tmp_path: Path) -> None:
    """All files of a folder are read, and one document may have several ids."""
    (tmp_path / "relay.json").write_text(json.dumps({MD5: SOURCE}))
    (tmp_path / "codegen.json").write_text(json.dumps({SHA1: SOURCE}))
    (tmp_path / "other.graphql").write_text(OTHER)
    documents = read_trusted_documents(tmp_path)
    assert documents == {
        MD5: SOURCE,
        SHA1: SOURCE,
        SHA256: SOURCE,
        sha256(OTHER.encode()).hexdigest(): OTHER,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "no manifest"),
        (b'"text"', "no manifest"),
        (b'{"id": 1}', "no manifest"),
        (b'{"id": {"name": "a"}}', "no manifest"),
        (b'{"format": "apollo-persisted-query-manifest", "version": 1}', "no manifest"),
        (b'{"format": "apollo-persisted-query-manifest", "operations": [{"id": "a"}]}', "no manifest"),
        (json.dumps({"0" * 64: SOURCE}).encode(), "another hash"),
        (json.dumps({"not an id": SOURCE}).encode(), "not an id"),
        (json.dumps({"": SOURCE}).encode(), "id"),
        (json.dumps({"a" * 201: SOURCE}).encode(), "id"),
    ],
)
def test_invalid_manifest_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that is not a manifest, and an id that no client can send, are errors that name the file."""
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(DocumentsFolderError, match=message) as error:
        read_trusted_documents(tmp_path)
    assert "manifest.json" in str(error.value)


def test_id_of_two_documents_is_refused(tmp_path: Path) -> None:
    """Two manifests that give one id to different documents are an error: neither is preferred."""
    (tmp_path / "a.json").write_text(json.dumps({"one": SOURCE}))
    (tmp_path / "b.json").write_text(json.dumps({"one": OTHER}))
    with pytest.raises(DocumentsFolderError, match="two documents"):
        read_trusted_documents(tmp_path)


def test_empty_manifests_are_no_documents(tmp_path: Path) -> None:
    """A folder whose manifests are empty has no document."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(DocumentsFolderError, match="no document"):
        read_trusted_documents(tmp_path)
