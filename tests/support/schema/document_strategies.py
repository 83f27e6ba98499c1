"""A strategy for valid queries over the real schema, with every syntax that a selection permits.

Within a document, each response name has one type, and on each parent type one field with the same arguments.
Selections with equal names can therefore be merged, and many are.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLField, GraphQLSchema, get_named_type, is_leaf_type
from hypothesis import strategies as st

from schema.build import build_schema
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Search
from schema.types.cursor import encode_cursor, fingerprint
from schema.types.node import global_id
from tests.support.schema.record_strategies import EXPERIMENT_IDS, KEYS

SCHEMA: GraphQLSchema = build_schema()._schema  # noqa: SLF001 - as the server takes it

_NODE_IDS = [global_id("Experiment", "0"), global_id("Experiment", "9"), global_id("Run", "0.0")]
_OTHER_IDS = [
    global_id("LoggedModel", "m-0.0"),
    global_id("RegisteredModel", "net"),
    global_id("ModelVersion", "2:net"),
    global_id("ModelVersion", "garbled"),
]
_CURSOR = encode_cursor(fingerprint("experiments", Search(view=LifecycleView.ALL)), [1])


@dataclass(frozen=True)
class Query:
    """A document and its variables."""

    text: str
    variables: dict[str, Any]


_VARIABLES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "$first": ("Int = 2", st.sampled_from([None, 0, 1, 50])),
    "$view": ("LifecycleView! = ALL", st.sampled_from(["ACTIVE", "ALL"])),
    "$keys": ("[String!]", st.none() | st.lists(st.sampled_from(KEYS), max_size=2)),
    "$key": ('String! = "a"', st.sampled_from(KEYS)),
    "$step": ("BigInt", st.none() | st.integers(-2, 2)),
    "$yes": ("Boolean! = true", st.booleans()),
    "$no": ("Boolean! = false", st.booleans()),
}

_ONE_PAGE = ["", "first: 1", "first: 50", "first: null", "first: 0", "first: $first"]
_VIEWS = ["", "view: ALL", "view: ALL", "view: DELETED", "view: $view"]
_BY_KEYS = [[""], ["", "keys: null", "keys: []", 'keys: ["a"]', 'keys: ["a", "zz", "loss"]', "keys: $keys"]]
_BY_KEY = [[f'key: "{key}"' for key in (*KEYS, "zz")] + ["key: $key"]]
_STEPS = [
    ["", "fromStep: 0", "fromStep: -9223372036854775808", "fromStep: $step"],
    ["", "toStep: 1", "toStep: null"],
]
_SAMPLES = [
    ["", "", "maxPoints: 2", "maxPoints: 1", "maxPoints: null", "maxPoints: $first"],
    ["", "", "sampling: MIN_MAX", "sampling: EVERY_NTH"],
]
_FOLDERS = ["", "path: null", 'path: "plots"', 'path: "nope"']
_ORDERS = ["", "", "orderBy: []", "orderBy: [{attribute: NAME, direction: DESC}]", "orderBy: null"]
# The last one is invalid: a sort key has exactly one target.
_RUN_ORDERS = [*_ORDERS, *_ORDERS, 'orderBy: [{metric: "loss"}]', 'orderBy: [{metric: "loss", tag: "a"}]']
# The last one is invalid: a filter has at least one operator.
_WHERES = [
    "",
    "",
    "where: null",
    "where: {}",
    "where: {or: [{name: {eq: $key}}]}",
    'where: {tag: [{key: "a"}]}',
]

_ROWS = ["", 'experiment: "experiment 0"', 'experiment: "zz"', "experiment: null"]
_ROW_SIZES = ["", "first: 0", "first: 1", "first: 3", "first: null", "first: -1"]

ARGUMENTS: dict[str, list[list[str]]] = {
    "Query.node": [[f'id: "{id_}"' for id_ in (*_NODE_IDS, *_OTHER_IDS)] + ['id: "garbled"']],
    "Query.nodes": [
        [f'ids: ["{_NODE_IDS[0]}", "{_NODE_IDS[1]}", "{_NODE_IDS[2]}", "{_NODE_IDS[2]}"]', "ids: []"]
    ],
    "Query.experimentRows": [["", "first: 2"], ["", "offset: 1"]],
    "Query.runRows": [_ROWS, _ROW_SIZES, ["", "offset: 1"]],
    "Query.paramRows": [_ROWS, _ROW_SIZES, ["", "offset: 1"], ["", 'key: "lr"', 'key: "loss"']],
    "Query.tagRows": [_ROWS, _ROW_SIZES, ["", "offset: 1"], ["", 'key: "lr"', 'key: "loss"']],
    "Query.metricRows": [_ROWS, _ROW_SIZES, ["", "offset: 1"], ["", 'key: "lr"', 'key: "loss"']],
    "Query.metricPointRows": [_ROWS, _ROW_SIZES, ["", "offset: 1"], ["", 'key: "lr"', 'key: "loss"']],
    "Query.experiment": [
        [f'experimentId: "{id_}"' for id_ in EXPERIMENT_IDS] + ['name: "experiment 1"', "name: null"]
    ],
    "Query.experiments": [_ONE_PAGE, _VIEWS, _ORDERS, ["", "", f'after: "{_CURSOR}"']],
    "Query.run": [['runId: "0.0"', 'runId: "1.0"', 'runId: "zz"']],
    "Query.compareRuns": [
        ['runIds: ["0.0"]', 'runIds: ["0.0", "1.0", "0.0"]', "runIds: []", 'runIds: ["zz"]'],
    ],
    "Query.runs": [
        _WHERES,
        _ONE_PAGE,
        _VIEWS,
        _RUN_ORDERS,
        ["", 'experimentIds: ["0", "1"]', "experimentIds: []", 'experimentNames: ["experiment 0", "zz"]'],
    ],
    "Experiment.runs": [
        _WHERES,
        _ONE_PAGE,
        _VIEWS,
        _RUN_ORDERS,
        [""] * 5 + ['filter: "metrics.loss < 1"', 'after: "garbled"'],
    ],
    "Experiment.tags": _BY_KEYS,
    "Experiment.tag": _BY_KEY,
    "Experiment.bestRun": [['metric: "loss"', 'metric: "zz", goal: MINIMIZE']],
    "Experiment.loggedModels": [_ONE_PAGE],
    "Query.runGroups": [["", 'groupBy: [{param: "a"}]'], ["", 'metrics: ["loss"]']],
    "Run.children": [_ONE_PAGE],
    "Query.registeredModel": [['name: "net"', 'name: "nope"']],
    "Query.registeredModels": [_ONE_PAGE, ["", "filter: \"name = 'net'\""]],
    "Query.modelVersion": [
        [
            'name: "net", version: "2"',
            'name: "net", alias: "best"',
            'name: "net", alias: "nope"',
            'name: "nope", alias: "best"',
            'name: "net"',
        ]
    ],
    "RegisteredModel.versions": [_ONE_PAGE],
    "Run.artifacts": [_FOLDERS],
    "LoggedModel.artifacts": [_FOLDERS],
    "Run.params": _BY_KEYS,
    "Run.param": _BY_KEY,
    "Run.tags": _BY_KEYS,
    "Run.tag": _BY_KEY,
    "Run.metrics": _BY_KEYS,
    "Run.metric": _BY_KEY,
    "Metric.history": [*_STEPS, *_SAMPLES],
    "Metric.series": [*_STEPS, *_SAMPLES],
}
"""The arguments of each field: one of each list."""

_ALIASES = ("x", "y", "name", "runId", "value", "nodes", "node", "experiment", "runs")
_SPREADS = {
    "Node": ("Node", "Experiment", "Run", "LoggedModel", "RegisteredModel", "ModelVersion"),
    "Experiment": ("Experiment", "Node"),
    "Run": ("Run", "Node"),
    "LoggedModel": ("LoggedModel", "Node"),
    "RegisteredModel": ("RegisteredModel", "Node"),
    "ModelVersion": ("ModelVersion", "Node"),
}
_TYPENAME = "__typename"
_MAX_SELECTIONS = 30
_MAX_DEPTH = 7
_ROOTS = (
    ("", "Query", ""),
    ("{experiments(view: ALL) {nodes", "Experiment", "}}"),
    ("{experiments(view: ALL) {nodes {runs(view: ALL, first: 2) {nodes", "Run", "}}}}"),
    ("{runs(view: ALL) {edges", "RunEdge", "}}"),
    ("{runs(view: ALL) {nodes {metrics", "Metric", "}}}"),
    ('{compareRuns(runIds: ["0.0", "0.1", "0.0"])', "RunComparison", "}"),
    ("{runs(view: ALL) {nodes {artifacts", "Artifact", "}}}"),
    ("{registeredModels {nodes {versions {nodes", "ModelVersion", "}}}}"),
    (f'{{nodes(ids: ["{_NODE_IDS[0]}", "{_NODE_IDS[2]}", "{_NODE_IDS[1]}"])', "Node", "}"),
    (f'{{nodes(ids: ["{_OTHER_IDS[0]}", "{_OTHER_IDS[1]}", "{_OTHER_IDS[2]}"])', "Node", "}"),
)
"""The position from which a query is generated. All but the first begin inside a list."""


@dataclass
class _Writer:
    draw: st.DrawFn
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    types: dict[str, str] = field(
        default_factory=lambda: {"id": "ID!", _TYPENAME: "String!", "kind": "String!"}
    )
    selected: dict[tuple[str, str], str] = field(default_factory=dict)
    selection_count: int = 0

    def one(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self, in_ten: int) -> bool:
        return self.draw(st.integers(0, 9)) < in_ten

    def selections(self, parent: str, depth: int) -> str:
        count = self.draw(st.integers(1, 4))
        return "{" + " ".join(self.selection(parent, depth) for _ in range(count)) + "}"

    def selection(self, parent: str, depth: int) -> str:
        self.selection_count += 1
        if self.chance(2) and depth > 0:
            return self.fragment(parent, depth - 1)
        if self.chance(1):
            return f"{self.one(['', 'kind: '])}{_TYPENAME}{self.directives()}"
        fields = SCHEMA.type_map[parent].fields  # type: ignore[attr-defined]
        leaves = [name for name in fields if is_leaf_type(get_named_type(fields[name].type))]
        deep = depth > 0 and self.selection_count < _MAX_SELECTIONS
        composites = [name for name in fields if name not in leaves] if deep else []
        # __typename ends a branch whose type has no leaves.
        choices = composites if composites and (not leaves or self.chance(7)) else leaves
        return self.field(parent, self.one(choices), depth) if choices else _TYPENAME

    def field(self, parent: str, name: str, depth: int) -> str:
        definition: GraphQLField = SCHEMA.type_map[parent].fields[name]  # type: ignore[attr-defined]
        selection = name + self.arguments(parent, name, definition)
        key, selection = self.response_name(parent, name, selection, str(definition.type))
        alias = "" if key == name else f"{key}: "
        named = get_named_type(definition.type)
        below = "" if is_leaf_type(named) else self.selections(named.name, depth - 1)
        return f"{alias}{selection}{self.directives()}{below}"

    def response_name(self, parent: str, name: str, selection: str, type_: str) -> tuple[str, str]:
        key = name if parent == "Node" or self.chance(6) else self.one(_ALIASES)
        selected = self.selected.get((parent, key))
        # An equal selection under the same name is merged with the previous one.
        if selected is not None and selected.partition("(")[0] == name:
            return key, selected
        if selected is None and self.types.setdefault(key, type_) == type_ and (key != "id" or name == "id"):
            self.selected[parent, key] = selection
            return key, selection
        return f"{parent}_{name}_{self.selection_count}", selection

    def arguments(self, parent: str, name: str, definition: GraphQLField) -> str:
        if not definition.args:
            return ""
        given = [text for choices in ARGUMENTS[f"{parent}.{name}"] if (text := self.one(choices))]
        return f"({', '.join(given)})" if given else ""

    def fragment(self, parent: str, depth: int) -> str:
        on = self.one(_SPREADS.get(parent, (parent,)))
        if self.chance(5):
            condition = "" if on == parent and self.chance(5) else f" on {on}"
            return f"...{condition}{self.directives()}{self.selections(on, depth)}"
        known = [name for name, (type_, _) in self.fragments.items() if type_ == on]
        if known and self.chance(7):
            return f"...{self.one(known)}{self.directives()}"
        text = self.selections(on, depth)
        name = f"F{len(self.fragments)}"
        self.fragments[name] = (on, text)
        return f"...{name}{self.directives()}"

    def directives(self) -> str:
        if not self.chance(1):
            return ""
        conditions = ("true", "false", "$yes", "$no")
        names = self.one([("skip",), ("include",), ("skip", "include")])
        return "".join(f" @{name}(if: {self.one(conditions)})" for name in names) + " "


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Generate a valid query."""
    writer = _Writer(draw)
    before, type_, after = draw(st.sampled_from(_ROOTS))
    body = before + writer.selections(type_, _MAX_DEPTH) + after
    fragments = [f"fragment {name} on {on} {text}" for name, (on, text) in writer.fragments.items()]
    text = "\n".join([body, *fragments])
    used = [name for name in _VARIABLES if re.search(rf"\{name}\b", text)]
    declared = ", ".join(f"{name}: {_VARIABLES[name][0]}" for name in used)
    variables = {name[1:]: draw(_VARIABLES[name][1]) for name in used if draw(st.booleans())}
    return Query(f"query ({declared}) {text}" if declared else text, variables)
