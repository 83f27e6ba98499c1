"""API keys: long random strings, of which the server stores names, roles and hashes."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.auth.credentials import bearer_token
from gql_server.auth.scheme import AuthScheme

_KEY_BYTES: Final = 32
"""256 bits: too many to guess, so a fast hash protects a key as well as a slow one."""
_LINE: Final = re.compile(r"([\w.@-]{1,100})\s+(read|write)\s+sha256:([0-9a-f]{64})")


class ApiKeysFileError(ValueError):
    """The file of API keys is missing or invalid."""


@dataclass(frozen=True, slots=True)
class ApiKeys(AuthScheme):
    """Authenticates callers by API key, as a bearer token or in X-API-Key."""

    by_hash: Mapping[str, Caller]

    @classmethod
    def read(cls, path: Path) -> "ApiKeys":
        """Read a file with a line `name role sha256:hash` for each key; raise `ApiKeysFileError`."""
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path}: the file of keys cannot be read: {error}"
            raise ApiKeysFileError(message) from None
        callers: dict[str, Caller] = {}
        # Not splitlines, which also splits at a form feed, for example in a comment.
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None:
                message = f"{path}, line {number}: the format of a key is: name read|write sha256:hash"
                raise ApiKeysFileError(message)
            name, role, key_hash = match.groups()
            callers[key_hash] = Caller(f"key:{name}", may_write=role == "write")
        if not callers:
            message = f"{path}: the file has no key."
            raise ApiKeysFileError(message)
        return cls(callers)

    @override
    async def authenticate(self, headers: Headers) -> Caller | None:
        keys = headers.getlist("x-api-key")
        if len(keys) > 1:
            # A proxy that checks or logs them may take another one.
            return None
        key = (keys[0] if keys else "") or bearer_token(headers)
        # The lookup is by hash, so its duration reveals nothing about the keys.
        return self.by_hash.get(_hash_of(key)) if key else None


def new_key(name: str, *, write: bool) -> tuple[str, str]:
    """Return a new key and its line in the file; raise `ApiKeysFileError` for an invalid name."""
    key = f"gql_{secrets.token_urlsafe(_KEY_BYTES)}"
    line = f"{name} {'write' if write else 'read'} sha256:{_hash_of(key)}"
    if not _LINE.fullmatch(line):
        message = "A key's name has 1 to 100 characters: letters, digits and . _ @ -"
        raise ApiKeysFileError(message)
    return key, line


def _hash_of(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
