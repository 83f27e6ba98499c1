"""The rules by which MLflow reads the filters of one kind of entity."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gql_server.stores.filters.clauses import Clause, parse_clauses
from gql_server.stores.filters.comparison import NULL_TESTS, OPERATORS, FilterComparison
from gql_server.stores.filters.literals import (
    NUMERIC,
    QUOTED,
    experiment_id,
    number,
    quoted_text,
    quoted_texts,
    without_quotes,
)
from gql_server.stores.filters.operands import Operand, OperandKind
from gql_server.stores.filters.refusal import refusal
from schema.ports.condition import PredicateKind, Value

_NUMBER_OPERATORS: Final = ("!=", "<", "<=", "=", ">", ">=")
_TEXT_OPERATORS: Final = ("!=", "=", "ILIKE", "LIKE")
_LIST_OPERATORS: Final = ("IN", "NOT IN")
_MLFLOW_KINDS: Final = {"param": "parameter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRules:
    """What the filters of an entity may compare, and MLflow's messages for what they may not."""

    prefixes: Mapping[str, PredicateKind]
    """What stands before the dot of a key."""
    unknown_prefix: str
    """The message for any other prefix, which follows it."""
    attributes: Collection[str]
    numeric_attributes: Collection[str]
    listed: Mapping[PredicateKind, Collection[str]]
    """The keys that can be compared with a list."""
    null_tested: Collection[PredicateKind]
    no_null_test: str
    """The message for IS NULL on any other key, with the fields `kind` and `key`."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    dataset_keys: Collection[str] = ()
    quoted_attributes: bool = True
    """Whether an attribute may be in quotes."""
    ids: Collection[str] = ()
    """Attributes that are ids of experiments, which are numbers and are compared for equality only."""
    no_text: str = "Expected a quoted string value for attributes. Got value {}"

    def parse(self, filter_: str | None) -> tuple[FilterComparison, ...]:
        """Return the comparisons of a filter; raise `BadUserInput` with MLflow's message if it is invalid."""
        return tuple(map(self._comparison, parse_clauses(filter_))) if filter_ else ()

    def _comparison(self, clause: Clause) -> FilterComparison:
        if clause.left.kind is not OperandKind.IDENTIFIER:
            message = f"Invalid comparison clause. Expected 'Identifier' found '{clause.left.text}'"
            raise refusal(message)
        if clause.right is None and not self.null_tested:
            raise refusal(self.no_null_test)
        by, key = self._key(clause.left.text)
        name = self.aliases.get(key, key)
        text = clause.text(name if by == "attribute" else clause.left.text)
        if clause.right is None:
            self._check_null_test(by, key)
            return FilterComparison(by, name, "is_null", NULL_TESTS[clause.operator], text)
        value = self._value(by, key, clause.right)
        self._check_operator(by, key, clause.operator, value)
        if by == "attribute" and key in self.ids:
            value = (
                tuple(map(experiment_id, value)) if isinstance(value, tuple) else experiment_id(str(value))
            )
        return FilterComparison(by, name, OPERATORS[clause.operator], value, text)

    def _key(self, text: str) -> tuple[PredicateKind, str]:
        prefix, dot, key = text.partition(".")
        by = self.prefixes.get(prefix) if dot else "attribute"
        if by is None:
            message = f"Invalid entity type '{prefix}'. {self.unknown_prefix}"
            raise refusal(message)
        written = key if dot else prefix
        key = without_quotes(written)
        known = {"attribute": self.attributes, "dataset": self.dataset_keys}.get(by)
        unquoted = key if self.quoted_attributes or by != "attribute" else written
        if known is not None and unquoted not in known:
            message = f"Invalid {by} key '{unquoted}' specified. Valid keys are '{_as_set(known)}'"
            raise refusal(message)
        return by, key

    def _value(self, by: PredicateKind, key: str, operand: Operand) -> Value:
        if by == "metric":
            if operand.kind not in NUMERIC:
                message = f"Expected numeric value type for metric. Found {operand.text}"
                raise refusal(message)
            return float(operand.text)
        if by == "attribute" and key in self.numeric_attributes:
            if operand.kind not in NUMERIC:
                message = f"Expected numeric value type for numeric attribute: {key}. Found {operand.text}"
                raise refusal(message)
            return number(operand.text)
        if operand.kind in QUOTED:
            return quoted_text(operand)
        if operand.kind is OperandKind.LIST and by in {"attribute", "dataset"}:
            return self._list(by, key, operand)
        raise refusal(self._no_text(by, operand))

    def _list(self, by: PredicateKind, key: str, operand: Operand) -> tuple[str, ...]:
        listed = self.listed.get(by, ())
        if key not in listed:
            message = (
                f"Only {sorted(listed)} attributes support comparison with a list of quoted string values."
            )
            raise refusal(message)
        return quoted_texts(operand.text)

    def _no_text(self, by: PredicateKind, operand: Operand) -> str:
        if by == "dataset":
            return f"Expected a quoted string value for dataset attributes. Got value {operand.text}"
        if by == "attribute":
            return self.no_text.format(operand.text)
        kind = _MLFLOW_KINDS.get(by, by)
        return f"Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {operand.text}"

    def _check_null_test(self, by: PredicateKind, key: str) -> None:
        if by not in self.null_tested:
            raise refusal(self.no_null_test.format(kind=_MLFLOW_KINDS.get(by, by), key=key))

    def _check_operator(self, by: PredicateKind, key: str, operator: str, value: Value) -> None:
        supported = self._operators(by, key)
        if operator not in supported:
            message = f"Invalid comparator '{operator}' not one of '{_as_set(supported)}'"
            raise refusal(message)
        if isinstance(value, tuple) != (operator in _LIST_OPERATORS):
            message = f"A list of values is only supported with IN and NOT IN, not with {operator}."
            raise refusal(message)

    def _operators(self, by: PredicateKind, key: str) -> Collection[str]:
        if by == "metric" or (by == "attribute" and key in self.numeric_attributes):
            return _NUMBER_OPERATORS
        if by == "attribute" and key in self.ids:
            return ("!=", "=", *_LIST_OPERATORS)
        return (*_TEXT_OPERATORS, *_LIST_OPERATORS) if key in self.listed.get(by, ()) else _TEXT_OPERATORS


def _as_set(names: Iterable[str]) -> str:
    return f"{{{', '.join(map(repr, sorted(names)))}}}"
