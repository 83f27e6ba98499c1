"""The port for artifacts, with the record cache."""

from collections.abc import Sequence

from typing_extensions import override

from gql_server.cache.record_reader import RecordKey, RecordReader
from schema.ports.artifacts import ArtifactStore, Folder
from schema.ports.table import Many


class CachedArtifacts(ArtifactStore):
    """Caches listings of runs' folders with the TTL of the run, and of models' with that of experiments."""

    def __init__(self, store: ArtifactStore, reader: RecordReader) -> None:
        self._store = store
        self._reader = reader

    @override
    async def listings(self, folders: Sequence[Folder]) -> Many:
        async def read(record_keys: Sequence[RecordKey]) -> Many:
            return await self._store.listings(list(map(_folder, record_keys)))

        return await self._reader.read_lists("artifacts", (), list(map(self._record_key, folders)), read)

    def _record_key(self, folder: Folder) -> RecordKey:
        parts = (folder.owner_kind, folder.path)
        if folder.owner_kind == "model":
            return RecordKey(folder.owner, parts, self._reader.ttl.experiments)
        (key,) = self._reader.run_keys([folder.owner])
        return RecordKey(key.id, (*parts, *key.parts), key.ttl)


def _folder(key: RecordKey) -> Folder:
    owner_kind, path, *_ = key.parts
    return Folder("model" if owner_kind == "model" else "run", key.id, path)
