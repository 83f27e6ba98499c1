"""API keys: long random texts, of which the server knows names, roles and hashes."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers

from gql_server.auth.caller import Caller
from gql_server.auth.credentials import bearer_token

_BYTES = 32
"""256 bits: no dictionary has them, so a fast hash keeps them as well as a slow one."""
_LINE = re.compile(r"([\w.@-]{1,100})\s+(read|write)\s+sha256:([0-9a-f]{64})")


class ApiKeysFileError(ValueError):
    """The file of keys cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Knows callers by their keys, sent as a bearer token or in X-API-Key."""

    by_hash: Mapping[str, Caller]

    @classmethod
    def read(cls, path: Path) -> "ApiKeys":
        """Read a file with a line `name role sha256:hash` for each key; raise BadKeys where it is none."""
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path}: the file of keys cannot be read: {error}"
            raise ApiKeysFileError(message) from None
        found: dict[str, Caller] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None:
                message = f"{path}, line {number}: a key is written: name read|write sha256:hash"
                raise ApiKeysFileError(message)
            name, role, hashed = match.groups()
            found[hashed] = Caller(f"key:{name}", may_write=role == "write")
        if not found:
            message = f"{path}: there is no key in it."
            raise ApiKeysFileError(message)
        return cls(found)

    async def find(self, headers: Headers) -> Caller | None:
        """Return whose key it is; None where it is nobody's.

        Keys are found by their hash, so how long that takes says nothing of them.
        """
        key = headers.get("x-api-key") or bearer_token(headers)
        return self.by_hash.get(_hash(key)) if key else None


def new_key(name: str, *, write: bool) -> tuple[str, str]:
    """Return a new key, and the line that makes a server know it; raise BadKeys for a name it cannot have."""
    key = f"gql_{secrets.token_urlsafe(_BYTES)}"
    line = f"{name} {'write' if write else 'read'} sha256:{_hash(key)}"
    if not _LINE.fullmatch(line):
        message = "A key's name has letters, digits and . _ @ - in it, at most 100."
        raise ApiKeysFileError(message)
    return key, line


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
