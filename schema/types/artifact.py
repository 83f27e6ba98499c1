"""Artifacts: the files and folders that a run or a logged model keeps."""

from typing import Annotated, Final
from urllib.parse import quote

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.artifacts import Folder, OwnerKind
from schema.ports.table import Many, Rows, Table
from schema.types.arguments import given
from schema.types.scalars import BigInt

ROUTES: Final[dict[OwnerKind, str]] = {"run": "artifacts", "model": "model-artifacts"}
"""The first part of the path under which the server has the files of each kind of owner."""

FolderPath = Annotated[
    str | None,
    strawberry.argument(description="The folder to list, such as plots/val; the root when left out."),
]


async def list_of(context: FieldContext, owner_kind: OwnerKind, owners: list[str], path: str | None) -> Many:
    """Return what is in the folder at this path of each owner."""
    return await context.tracking.artifacts.listings(
        [Folder(owner_kind, own, given(path) or "") for own in owners]
    )


def _name(artifacts: Table, _context: FieldContext) -> list[str]:
    return [path.rpartition("/")[2] for path in artifacts["path"]]


def _download_url(artifacts: Table, context: FieldContext) -> list[str | None]:
    return [
        None
        if is_dir
        else f"{context.operation.base_path}/{ROUTES[owner_kind]}/{quote(owner, safe='')}/{quote(path)}"
        for owner_kind, owner, path, is_dir in _rows(artifacts)
    ]


async def _children(artifacts: Table, context: FieldContext) -> list[Rows | None]:
    folders = [
        Folder(owner_kind, owner, path) for owner_kind, owner, path, is_dir in _rows(artifacts) if is_dir
    ]
    if not folders:
        return [None] * artifacts.size
    found = await context.tracking.artifacts.listings(folders)
    spans = iter(found.spans)
    return [Rows(found.rows, next(spans)) if is_dir else None for is_dir in artifacts["is_dir"]]


def _rows(artifacts: Table) -> "zip[tuple[OwnerKind, str, str, bool]]":
    columns = (artifacts[name] for name in ("owner_kind", "owner", "path", "is_dir"))
    return zip(*columns, strict=True)


@strawberry.type(description="A file or a folder among the artifacts of a run or a logged model.")
class Artifact:
    """MLflow's FileInfo."""

    path: str = strawberry.field(description="The path from the root of the artifacts, with slashes.")
    name: str = batched_field(_name, description="The last part of the path.", requires=("path",))
    is_dir: bool = strawberry.field(description="Whether it is a folder.")
    size: BigInt | None = strawberry.field(
        description="The size in bytes; null of a folder, and where the store does not say."
    )
    download_url: str | None = batched_field(
        _download_url,
        description=(
            "Where this server has the file, from its own root on: to be resolved against the URL of the "
            "graph. Null of a folder."
        ),
        requires=("owner_kind", "owner", "path", "is_dir"),
    )
    children: list["Artifact"] | None = batched_field(
        _children,
        description="What is in the folder; null of a file.",
        requires=("owner_kind", "owner", "path", "is_dir"),
    )
