"""The schema has the contract's names and forms, descriptions, and an up-to-date printed version."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLSchema,
    Undefined,
    ast_from_value,
    find_breaking_changes,
    is_specified_scalar_type,
    print_ast,
)
from graphql import build_schema as schema_in

import schema
from schema.build import build_schema

# The schema of a writable server. That of a read-only server is a part of it.
SCHEMA = build_schema(writable=True)._schema  # noqa: SLF001 - as Strawberry's own integrations do
READ_ONLY = build_schema()._schema  # noqa: SLF001
CONTRACT = schema_in(Path(__file__).with_name("contract.graphql").read_text(encoding="utf-8"))
PRINTED = Path(schema.__file__).with_name("schema.graphql")


def _types(of: GraphQLSchema) -> list[GraphQLNamedType]:
    types = of.type_map.values()
    return [
        type_ for type_ in types if not type_.name.startswith("__") and not is_specified_scalar_type(type_)
    ]


def _kind(type_: GraphQLNamedType) -> str:
    # Strawberry has its own class of enums.
    return next(base.__name__ for base in type(type_).__mro__ if base.__module__.startswith("graphql."))


def _given(value: GraphQLArgument | GraphQLInputField) -> str:
    if value.default_value is Undefined:
        return str(value.type)
    default = ast_from_value(value.default_value, value.type)
    return f"{value.type} = {print_ast(default) if default else default}"


def _form(type_: GraphQLNamedType) -> dict[str, str]:
    """Return the form of each part of a type that a client can name."""
    if isinstance(type_, GraphQLEnumType):
        return dict.fromkeys(type_.values, "")
    form = {f"implements {interface}": "" for interface in getattr(type_, "interfaces", ())}
    for name, field in getattr(type_, "fields", {}).items():
        form[name] = _given(field) if isinstance(field, GraphQLInputField) else str(field.type)
        form |= {f"{name}({key})": _given(argument) for key, argument in getattr(field, "args", {}).items()}
    return form


@pytest.mark.parametrize("promised", _types(CONTRACT), ids=str)
def test_type_of_contract(promised: GraphQLNamedType) -> None:
    """Each type of the contract has the same names, types, nullability, arguments and defaults."""
    built = SCHEMA.type_map[promised.name]
    assert _kind(built) == _kind(promised)
    form = _form(built)
    assert {name: form.get(name) for name in _form(promised)} == _form(promised)


def test_additions_break_no_client_of_the_contract() -> None:
    """Additions to the contract break no client: no new argument or input field is required."""
    assert find_breaking_changes(CONTRACT, SCHEMA) == []


def _described() -> Iterator[tuple[str, Any]]:
    for type_ in _types(SCHEMA):
        yield type_.name, type_
        for name, field in getattr(type_, "fields", {}).items():
            yield f"{type_.name}.{name}", field
            if isinstance(field, GraphQLField):
                yield from ((f"{type_.name}.{name}({key})", value) for key, value in field.args.items())
        for name, value in getattr(type_, "values", {}).items():
            yield f"{type_.name}.{name}", value


@pytest.mark.parametrize(("name", "member"), list(_described()))
def test_description_is_a_sentence(name: str, member: Any) -> None:
    """Each type, field, argument, input field and enum value has a description that ends as a sentence."""
    assert member.description, f"{name} has no description"
    assert member.description.endswith("."), f"the description of {name} is not a sentence"


def test_printed_schema_is_current() -> None:
    """The committed schema.graphql equals the schema."""
    update = "to update it: gql-server schema > schema/schema.graphql"
    assert PRINTED.is_file(), update
    assert PRINTED.read_text(encoding="utf-8") == f"{build_schema(writable=True).as_str()}\n", update


def test_read_only_schema_has_no_mutations() -> None:
    """A read-only schema has no mutations and none of the types that only mutations use."""
    assert READ_ONLY.mutation_type is None
    whole, read = ({type_.name: type_ for type_ in _types(of)} for of in (SCHEMA, READ_ONLY))
    assert {name: _form(type_) for name, type_ in read.items()} == {name: _form(whole[name]) for name in read}
    of_mutations = whole.keys() - read.keys()
    assert of_mutations
    assert all(name.endswith(("Mutation", "Payload", "Input")) for name in of_mutations)
