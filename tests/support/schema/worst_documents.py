"""Documents that ask for much: with the largest pages, many aliases, and expensive arguments."""

from typing import Any

from graphql import GraphQLList, get_named_type, get_nullable_type, is_leaf_type, is_object_type
from hypothesis import strategies as st

from tests.support.schema.document_strategies import SCHEMA
from tests.support.stores.large_store import run_id

_ARGUMENTS = {
    "Run.param": 'key: "k1"',
    "Run.tag": 'key: "k1"',
    "Run.metric": 'key: "k1"',
    "Experiment.bestRun": 'metric: "k1"',
    "Experiment.tag": 'key: "k1"',
    "Query.experiment": 'experimentId: "1"',
}
_CONDITIONS = ", ".join(f'{{param: {{key: "k{number % 2}", like: "%x%{number}%"}}}}' for number in range(40))
_CHOICES = {
    "runGroups": [
        "",
        "groupBy: {attribute: RUN_ID}",
        'groupBy: [{attribute: RUN_ID}, {param: "k0"}, {tag: "k1"}, {attribute: STARTED_AT}]',
        'groupBy: {attribute: NAME}, metrics: ["k0"]',
    ],
    "runs": [
        "",
        "orderBy: {attribute: STARTED_AT, direction: ASC}",
        'orderBy: [{param: "k0"}, {tag: "k1"}, {metric: "k0"}]',
        f"where: {{or: [{_CONDITIONS}]}}",
    ],
    "series": ["", "fromStep: 1", "maxPoints: 10", "maxPoints: 1000"],
    "history": ["", "fromStep: 1", "maxPoints: 10"],
}
"""Arguments that are expensive, by the name of the field."""
_ROOTS = ("experiments", "runs", "runGroups", "runRows", "paramRows", "metricRows", "metricPointRows")
_LEFT_OUT = {"artifacts", "datasets", "loggedModels", "modelVersions", "registeredModels", "parent"}
"""Fields that find nothing in this store."""


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a document in which fields are repeated under many aliases, with the largest pages."""
    roots = draw(st.lists(st.sampled_from(_ROOTS), min_size=1, max_size=3))
    return "{" + " ".join(_fields(draw, "Query", name, depth=6) for name in roots) + "}"


def _fields(draw: st.DrawFn, parent: str, name: str, depth: int) -> str:
    """Return a field, once or under many aliases."""
    field = SCHEMA.type_map[parent].fields[name]  # type: ignore[attr-defined]
    type_ = get_named_type(field.type)
    arguments = [_ARGUMENTS[f"{parent}.{name}"]] if f"{parent}.{name}" in _ARGUMENTS else []
    arguments += ["first: 1000"] if "first" in field.args and not arguments else []
    if name in _CHOICES:
        arguments += filter(None, [draw(st.sampled_from(_CHOICES[name]))])
    selected = f"({', '.join(arguments)})" if arguments else ""
    if not is_leaf_type(type_):
        selected += _selection(draw, type_.name, depth - 1)
    times = draw(st.sampled_from([1, 1, 1, 2, 10, 60] if is_leaf_type(type_) else [1, 1, 1, 2, 8]))
    # Aliases of equal names merge, so each has its own.
    prefix = f"{name}_{draw(st.integers(0, 10**6))}"
    return " ".join(f"{prefix}_{number}: {name}{selected}" for number in range(times))


def _selection(draw: st.DrawFn, parent: str, depth: int) -> str:
    fields = SCHEMA.type_map[parent].fields  # type: ignore[attr-defined]
    possible = [
        name
        for name, field in fields.items()
        if name not in _LEFT_OUT
        and (is_leaf_type(get_named_type(field.type)) or (depth > 0 and _can_select(parent, name, field)))
    ]
    chosen = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3)) if possible else []
    return "{" + (" ".join(_fields(draw, parent, name, depth) for name in chosen) or "__typename") + "}"


def _can_select(parent: str, name: str, field: Any) -> bool:
    required = [argument for argument in field.args.values() if not _is_optional(argument)]
    return is_object_type(get_named_type(field.type)) and (not required or f"{parent}.{name}" in _ARGUMENTS)


def _is_optional(argument: Any) -> bool:
    return get_nullable_type(argument.type) is argument.type or isinstance(argument.type, GraphQLList)


def aliased(field: str, leaf: str) -> str:
    """Return a document that repeats a field of each param or metric under 190 aliases."""
    leaves = " ".join(leaf.format(number) for number in range(190))
    return f"{{ runs(first: 1000) {{ nodes {{ {field} {{ {leaves} }} }} }} }}"


def _times(count: int, field: str) -> str:
    """Return a document with a root field `count` times; `#` in it is replaced by the number."""
    return "{" + " ".join(f"a{number}: {field.replace('#', str(number))}" for number in range(count)) + "}"


def _series(count: int, arguments: str) -> str:
    return " ".join(
        f"s{number}: series({arguments.replace('#', str(number))}) {{ steps }}" for number in range(count)
    )


def _of_metrics(fields: str) -> str:
    """Return a document that selects fields of the metrics of the oldest runs, which have histories."""
    oldest = "runs(first: 300, orderBy: {attribute: STARTED_AT, direction: ASC})"
    return f"{{ {oldest} {{ nodes {{ metrics {{ {fields} }} }} }} }}"


_BY_ID = "groupBy: [{attribute: RUN_ID}, {attribute: STARTED_AT}]"
_COMPARED = ", ".join(f'"{run_id(number)}"' for number in range(100))

WORST = {
    "groups of single runs": (
        f"{{ runGroups({_BY_ID}) {{ count key {{ name value }} metrics {{ key mean stddev }} }} }}"
    ),
    "groups again and again": _times(
        20, f'runGroups({_BY_ID}, metrics: ["k0"]) {{ count metrics {{ key mean }} }}'
    ),
    "keys again and again": _times(20, "experiments(first: 1#) { nodes { paramKeys metricKeys tagKeys } }"),
    "histories": _of_metrics("a: history { step value timestamp } b: history { step }"),
    "series of many parts": _of_metrics(_series(10, "fromStep: #")),
    "samples of one curve": (
        f'{{ run(runId: "{run_id(0)}") {{ metric(key: "long") {{ {_series(50, "maxPoints: 10#")} }} }} }}'
    ),
    "conditions": (
        f"{{ runs(first: 1000, where: {{or: [{_CONDITIONS}]}}) {{ totalCount nodes {{ runId }} }} }}"
    ),
    "aliases of nodes": "{ runs(first: 1000) {"
    + " ".join(f"n{number}: nodes {{ runId name status startedAt endedAt }}" for number in range(180))
    + "} }",
    "aliases of leaves": aliased("params", "a{}: value"),
    "aliases of series": aliased("metrics", "s{}: series {{ timestamps }}"),
    "aliases of histories": aliased("metrics", "h{}: history {{ step value timestamp }}"),
    "comparisons": _times(
        12, f"compareRuns(runIds: [{_COMPARED}]) {{ params {{ key values }} metrics {{ key values }} }}"
    ),
    "children": "{ runs(first: 50) { nodes {"
    + "children(first: 2) { nodes {" * 6
    + "name"
    + "} }" * 6
    + "} } }",
    "rows of points": _times(10, "metricPointRows(first: 100#) { runId key value step }"),
    "long document": _times(45, "runs(first: 1, experimentIds: [" + '"1" ' * 90 + "]) { nodes { name } }"),
}
"""Documents that took the most, by what they repeat."""
