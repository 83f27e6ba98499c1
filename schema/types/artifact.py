"""Artifacts: the files and folders of runs and logged models."""

from typing import Annotated, Final
from urllib.parse import quote

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.artifacts import Folder, OwnerKind
from schema.ports.errors import UnsupportedByStore
from schema.ports.table import Many, Rows, Table, value_at
from schema.types.arguments import given
from schema.types.scalars import BigInt

ROUTES: Final[dict[OwnerKind, str]] = {"run": "artifacts", "model": "model-artifacts"}
"""The first segment of the server's download paths, by the kind of the artifacts' owner."""

FolderPath = Annotated[
    str | None,
    strawberry.argument(description="The folder to list, such as plots/val. Default: the root folder."),
]

_LOCATION: Final = ("owner_kind", "owner", "path", "is_dir", "is_readable")
_UNREADABLE: Final = "The store lists this folder, but cannot find it by its name."


async def list_artifacts(
    context: FieldContext, owner_kind: OwnerKind, owners: list[str], path: str | None
) -> Many | list[Rows | Exception]:
    """Return the contents of the folder at this path of each owner, or the error of reading it."""
    folders = [Folder(owner_kind, owner, given(path) or "") for owner in owners]
    return _with_errors(await context.tracking.artifacts.listings(folders))


def _with_errors(listings: Many) -> Many | list[Rows | Exception]:
    errors = listings.rows["error"]
    if not any(errors):
        return listings
    return [
        (errors[start] if start < stop else None) or Rows(listings.rows, (start, stop))
        for start, stop in listings.spans
    ]


def _resolve_name(artifacts: Table, _context: FieldContext) -> list[str]:
    return [path.rpartition("/")[2] for path in artifacts["path"]]


def _resolve_download_url(artifacts: Table, context: FieldContext) -> list[str | None]:
    base = context.operation.base_path
    return [
        None
        if is_dir or not is_readable
        else f"{base}/{ROUTES[owner_kind]}/{quote(owner, safe='')}/{quote(path)}"
        for owner_kind, owner, path, is_dir, is_readable in _locations(artifacts)
    ]


async def _resolve_children(artifacts: Table, context: FieldContext) -> list[Rows | Exception | None]:
    column: list[Rows | Exception | None] = [None] * artifacts.size
    folders: dict[int, Folder] = {}
    for row, (owner_kind, owner, path, is_dir, is_readable) in enumerate(_locations(artifacts)):
        if is_dir and is_readable:
            folders[row] = Folder(owner_kind, owner, path)
        elif is_dir:
            column[row] = UnsupportedByStore(_UNREADABLE)
    if folders:
        children = _with_errors(await context.tracking.artifacts.listings([*folders.values()]))
        for index, row in enumerate(folders):
            column[row] = value_at(children, index)
    return column


def _locations(artifacts: Table) -> "zip[tuple[OwnerKind, str, str, bool, bool]]":
    return zip(*(artifacts[name] for name in _LOCATION), strict=True)


@strawberry.type(description="A file or a folder among the artifacts of a run or a logged model.")
class Artifact:
    """MLflow's FileInfo."""

    path: str = strawberry.field(
        description="The path of the file or folder, relative to the root folder of the artifacts."
    )
    name: str = batched_field(_resolve_name, description="The last segment of the path.", requires=("path",))
    is_dir: bool = strawberry.field(description="Whether this is a folder.")
    size: BigInt | None = strawberry.field(
        description="The size in bytes; null for a folder, and if the artifact store does not report it."
    )
    download_url: str | None = batched_field(
        _resolve_download_url,
        description=(
            "The path of the file on this server, to be resolved against the URL of the GraphQL endpoint; "
            "null for a folder, and for a file that the store lists but cannot find by its name."
        ),
        requires=_LOCATION,
    )
    children: list["Artifact"] | None = batched_field(
        _resolve_children,
        description=(
            "The contents of the folder, sorted by path; null for a file, and null with an error if the "
            "folder cannot be read."
        ),
        requires=_LOCATION,
    )
