"""Global ids, as in Relay's global object identification: any node can be fetched again by its id alone."""

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


@strawberry.interface(description="A thing that can be fetched again by its id alone.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = strawberry.field(description="The global id: unique among all types, opaque.")


def global_id(type_name: str, own_id: str) -> str:
    """Return the global id of a thing of this GraphQL type."""
    return base64.urlsafe_b64encode(f"{type_name}:{own_id}".encode()).decode()


def split_global_id(text: str, type_names: Iterable[str]) -> tuple[str, str]:
    """Return the type's name and the own id in a global id; BadUserInput if it is not of one of the types."""
    try:
        content = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        content = ""
    type_name, colon, own_id = content.partition(":")
    if not colon or not own_id or type_name not in type_names:
        message = "id is not a global id of this server; ids of MLflow go to experiment and run."
        raise BadUserInput(message)
    return type_name, own_id


def global_id_field(type_name: str, column: str) -> strawberry.ID:
    """Return the `id` field of a type whose own ids stand in a column."""

    def answer(table: "Table", _ask: "FieldContext") -> list[str]:
        return [global_id(type_name, own_id) for own_id in table[column]]

    field: strawberry.ID = batched_field(
        answer, description="The global id: unique among all types, opaque.", requires=(column,)
    )
    return field
