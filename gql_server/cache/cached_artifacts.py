"""The port for artifacts, with the record cache."""

from collections.abc import Sequence

from typing_extensions import override

from gql_server.cache.record_reader import RecordKey, RecordReader
from schema.ports.artifacts import ArtifactStore, Folder
from schema.ports.table import Many


class CachedArtifacts(ArtifactStore):
    """Caches the listing of each folder of a run or a model."""

    def __init__(self, store: ArtifactStore, reader: RecordReader) -> None:
        self._store = store
        self._reader = reader

    @override
    async def listings(self, folders: Sequence[Folder]) -> Many:
        async def read(record_keys: Sequence[RecordKey]) -> Many:
            return await self._store.listings(list(map(_folder, record_keys)))

        record_keys = [RecordKey(each.owner, (each.owner_kind, each.path)) for each in folders]
        return await self._reader.read_lists("artifacts", (), record_keys, read)


def _folder(key: RecordKey) -> Folder:
    owner_kind, path = key.parts
    return Folder("model" if owner_kind == "model" else "run", key.id, path)
