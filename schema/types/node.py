"""Global ids, after Relay's global object identification: `Query.node` returns any node by its id."""

import base64
import binascii
from collections.abc import Iterable
from typing import TYPE_CHECKING

import strawberry

from schema.engine.batched_field import batched_field
from schema.ports.errors import BadUserInput

if TYPE_CHECKING:
    from schema.engine.batched_field import FieldContext
    from schema.ports.table import Table

ID_DESCRIPTION = "The global id of the object: opaque, and unique among all types."


@strawberry.interface(description="An object with a global id.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)


def global_id(type_name: str, local_id: str) -> str:
    """Return the global id of an object from its GraphQL type and its id within that type."""
    return base64.urlsafe_b64encode(f"{type_name}:{local_id}".encode()).decode()


def split_global_id(text: str, type_names: Iterable[str]) -> tuple[str, str]:
    """Return the type name and the local id of a global id.

    Raise `BadUserInput` if it is malformed or of a type that is not in `type_names`.
    """
    try:
        content = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        content = ""
    type_name, colon, local_id = content.partition(":")
    if not colon or not local_id or type_name not in type_names:
        message = "id is not a global id of this server. Use experiment and run for MLflow's ids."
        raise BadUserInput(message)
    return type_name, local_id


def global_id_field(type_name: str, column: str) -> strawberry.ID:
    """Return the `id` field of a type whose local ids are in a column."""

    def resolve(table: "Table", _context: "FieldContext") -> list[str]:
        return [global_id(type_name, local_id) for local_id in table[column]]

    field: strawberry.ID = batched_field(resolve, description=ID_DESCRIPTION, requires=(column,))
    return field
