"""Artifacts: the files and folders of runs and logged models."""

from typing import Annotated, Final
from urllib.parse import quote

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.artifacts import Folder, OwnerKind
from schema.ports.table import Many, Rows, Table
from schema.types.arguments import given
from schema.types.scalars import BigInt

ROUTES: Final[dict[OwnerKind, str]] = {"run": "artifacts", "model": "model-artifacts"}
"""The first segment of the server's download paths, by the kind of the artifacts' owner."""

FolderPath = Annotated[
    str | None,
    strawberry.argument(description="The folder to list, such as plots/val. Default: the root folder."),
]

_LOCATION: Final = ("owner_kind", "owner", "path", "is_dir")


async def list_artifacts(
    context: FieldContext, owner_kind: OwnerKind, owners: list[str], path: str | None
) -> Many:
    """Return the contents of the folder at this path of each owner."""
    folders = [Folder(owner_kind, owner, given(path) or "") for owner in owners]
    return await context.tracking.artifacts.listings(folders)


def _resolve_name(artifacts: Table, _context: FieldContext) -> list[str]:
    return [path.rpartition("/")[2] for path in artifacts["path"]]


def _resolve_download_url(artifacts: Table, context: FieldContext) -> list[str | None]:
    base = context.operation.base_path
    return [
        None if is_dir else f"{base}/{ROUTES[owner_kind]}/{quote(owner, safe='')}/{quote(path)}"
        for owner_kind, owner, path, is_dir in _locations(artifacts)
    ]


async def _resolve_children(artifacts: Table, context: FieldContext) -> list[Rows | None]:
    folders = [
        Folder(owner_kind, owner, path) for owner_kind, owner, path, is_dir in _locations(artifacts) if is_dir
    ]
    if not folders:
        return [None] * artifacts.size
    children = await context.tracking.artifacts.listings(folders)
    spans = iter(children.spans)
    return [Rows(children.rows, next(spans)) if is_dir else None for is_dir in artifacts["is_dir"]]


def _locations(artifacts: Table) -> "zip[tuple[OwnerKind, str, str, bool]]":
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
            "null for a folder."
        ),
        requires=_LOCATION,
    )
    children: list["Artifact"] | None = batched_field(
        _resolve_children,
        description="The contents of the folder, sorted by path; null for a file.",
        requires=_LOCATION,
    )
