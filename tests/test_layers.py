"""Imports in both packages point down the layers only, and have no cycle.

`tests/schema/test_layout.py` has the packages that `schema` must not import, `gql_server` among them.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS: Mapping[str, Sequence[str]] = {
    "gql_server": (
        *("cli", "serving", "app"),
        *("demo", "routes", "live", "exports", "artifacts", "operations", "stores", "cache"),
        *("auth", "http", "observability", "runtime", "config"),
    ),
    "schema": ("build", "types", "engine", "exports", "ports"),
}
"""The files and folders of each package, from the highest layer to the lowest."""


def modules_of(package: str) -> dict[str, Path]:
    """Return the files of a package's modules by dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / package).rglob("*.py")
    }


def imports_of(source: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a source imports, inside functions too, except for type checking only."""
    tree = ast.parse(source)
    type_checking = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in type_checking:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"relative import of {node.module}"
            for alias in node.names:
                full_name = f"{node.module}.{alias.name}"
                if full_name in modules or node.module in modules:
                    yield full_name if full_name in modules else node.module


def layer_of(module: str) -> str:
    """Return the layer of a module: the part of its name after the package."""
    return module.split(".")[1] if "." in module else ""


def upward_imports(package: str, module: str, imported: Sequence[str]) -> list[str]:
    """Return the imports of a module that are in a higher layer of its package."""
    order, layer = LAYERS[package], layer_of(module)
    same_package = [name for name in imported if name.startswith(f"{package}.") and layer]
    return [name for name in same_package if order.index(layer_of(name)) < order.index(layer)]


@pytest.mark.parametrize("package", LAYERS)
def test_every_file_and_folder_is_a_layer(package: str) -> None:
    """The list of layers is complete, and has no layer that does not exist."""
    assert {layer_of(name) for name in modules_of(package)} - {""} == set(LAYERS[package])


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package: str) -> None:
    """No module imports a module of a higher layer."""
    modules = modules_of("gql_server") | modules_of("schema")
    imports = {
        name: upward_imports(package, name, list(imports_of(path.read_text(), modules)))
        for name, path in modules_of(package).items()
    }
    assert {name: upward for name, upward in imports.items() if upward} == {}


@pytest.mark.parametrize("package", LAYERS)
def test_imports_have_no_cycle(package: str) -> None:
    """No module imports itself through others."""
    modules = modules_of(package)
    graph = {name: set(imports_of(path.read_text(), modules)) for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"cyclic imports: {' -> '.join(error.args[1])}")


def test_upward_import_in_a_function_is_found() -> None:
    """An import of a higher layer is found inside a function too."""
    modules = modules_of("gql_server")
    source = "def later():\n    from gql_server.routes.graphql import GraphQLEndpoint"
    imported = list(imports_of(source, modules))
    assert upward_imports("gql_server", "gql_server.cache.cache", imported) == ["gql_server.routes.graphql"]
