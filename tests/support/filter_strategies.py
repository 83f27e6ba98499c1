"""Filter strings: valid ones, such with mistakes, and arbitrary sequences of their parts."""

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

_TEXT_KEYS = {
    "run": [
        *(
            "params.{}",
            "param.{}",
            "parameters.{}",
            "tags.{}",
            "`tag`.{}",
            "status",
            "run_id",
            "attr.run_name",
        ),
        *(
            "run.`Run name`",
            "attributes.'status'",
            "artifact_uri",
            '"user_id"',
            "dataset.name",
            "datasets.`digest`",
        ),
    ],
    "experiment": ["tags.{}", "tag.{}", "name", "attribute.`name`", '"name"'],
    "model": ["tags.{}", "tag.{}", "name", "attribute.name"],
}
_NUMBER_KEYS = {
    "run": ["metrics.{}", "metric.{}", "start_time", "attributes.end_time", "created", "run.`Created`"],
    "experiment": ["creation_time", "attributes.last_update_time"],
    "model": ["tags.{}"],
}
_LIST_KEYS = {
    "run": ["run_id", "attributes.`run_id`", "dataset.name", "datasets.context"],
    "experiment": ["experiment_id", "attribute.experiment_id"],
    "model": ["name", "attribute.name"],
}
_WRONG_KEYS = ["Tags.{}", "x.{}", "{}", "dataset.{}", "attributes.{}", "metrics.{}", "params.{}", "'tags'.{}"]
_NAMES = [
    *("a", "_a", "a.b", "a_1", "1x", "50x", "in_x", "in", "from", "select", "é", "日本", "a$b", "_a$b", "A1"),
    *("name", "context", "created", "`a b`", '"a b"', "'a b'", "`a``b`", '"a""b"', "`a", "a b", "a-b", "a/b"),
    *(
        "a->b",
        "a::b",
        "a[0]",
        "a[0][1]",
        "[a b]",
        "f(x)",
        "f(0.5)",
        "`f`(x)",
        "@ab",
        "#ab",
        "*",
        "",
        " a",
        ".a",
    ),
    *("a . b", "%s", "?"),
]
_TEXT_OPERATORS = ["=", "!=", "LIKE", "ILIKE", "like"]
_NUMBER_OPERATORS = ["=", "!=", "<", "<=", ">", ">="]
_LIST_OPERATORS = ["IN", "NOT IN", "in", "not in"]
_NULL_TESTS = ["IS NULL", "IS NOT NULL", "is null", "IS NOT  NULL"]
_WRONG_OPERATORS = ["==", "<>", "NOT LIKE", "RLIKE", "IS", "NOT", "=~", *_LIST_OPERATORS]
_TEXTS = ["'a'", '"a"', "''", '""', "'it''s'", r"'it\'s'", r"'a\\'", "'a\nb'", "'-- a'", "'1'", '"a"."b"']
_NUMBERS = ["1", "-1", "1.5", ".5", "-.5", "5.", "1e5", "1E-5", "1e400", "007", "१२", "99999999999999999999"]
_LISTS = [
    *("('a')", "('a', 'b')", "('A', '1')", '("a", "b")', "( 'a' )", "('a',)", "('12')", r"('a\x41\d')"),
    *("(('a'))", "('a' 'b')"),
]
_WRONG_VALUES = [
    *("'a", 'a"', "a", "true", "NULL", "1e+5", "+1", "0x1F", "12a", "1_0", "()", "(a)", "('a', 1)", "(1)"),
    *("('a'", "'a'::text", "1 + 1", ""),
]
_JOINS = [" AND ", " AND ", " and ", "  AND\n", " AND AND ", " ", "", " OR ", ", ", "; ", "AND"]
_PARTS = [
    *("(", ")", "[", "]", "'", '"', "`", ".", ",", ";", "::", ":", "->", "->>", "-", "+", "*", "/", "=", "!"),
    *("<", ">", "\\", "@", "#", "~", "%", "^", "&", "|", " ", "\n", "\t", "AND", "IN", "IS", "NOT", "NULL"),
    *("NOT NULL", "LIKE", "a", "tags", "params", "metrics", "status", "name", "run_id", "1", "1.5", "'a'"),
    *('"a"', "`a`", "('a')", "é"),
]


def _joined(*choices: list[str]) -> st.SearchStrategy[str]:
    """Return texts with one of each of the choices, of which the first may be for a key with a name."""
    return st.builds(
        lambda space, name, key, *rest: space.join((key.replace("{}", name), *rest)),
        st.sampled_from([" ", " ", " ", "", "\n "]),
        st.sampled_from(_NAMES),
        *map(st.sampled_from, choices),
    )


def _comparisons(kind: str) -> st.SearchStrategy[str]:
    keys = [*_TEXT_KEYS[kind], *_NUMBER_KEYS[kind], *_LIST_KEYS[kind], *_WRONG_KEYS]
    operators = [*_TEXT_OPERATORS, *_NUMBER_OPERATORS, *_WRONG_OPERATORS]
    return st.one_of(
        _joined(_TEXT_KEYS[kind], _TEXT_OPERATORS, _TEXTS),
        _joined(_NUMBER_KEYS[kind], _NUMBER_OPERATORS, _NUMBERS),
        _joined(_LIST_KEYS[kind], _LIST_OPERATORS, _LISTS),
        _joined(keys, _NULL_TESTS),
        _joined(keys, operators, [*_TEXTS, *_NUMBERS, *_LISTS, *_WRONG_VALUES]),
    )


def _filters(kind: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda join, comparisons: join.join(comparisons),
        st.sampled_from(_JOINS),
        st.lists(_comparisons(kind), min_size=1, max_size=3),
    )


@st.composite
def _edited(draw: st.DrawFn, kind: str) -> str:
    """Draw a filter of which a few characters are replaced."""
    text = draw(_comparisons(kind))
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(["", *_PARTS])) + text[start + draw(st.integers(0, 2)) :]
    return text


def filter_strings(kind: str) -> st.SearchStrategy[str]:
    """Return filters of runs, experiments or registered models ("run", "experiment", "model")."""
    sequences = st.lists(st.sampled_from(_PARTS), max_size=12).map("".join)
    return st.one_of(_comparisons(kind), _filters(kind), _edited(kind), sequences)


def each_key_and_value(kind: str) -> Iterator[str]:
    """Yield comparisons with each form of a key, and of each sort of key with each value."""
    for key, name in product((*_TEXT_KEYS[kind], *_WRONG_KEYS), _NAMES):
        if "{}" in key or name == _NAMES[0]:
            yield f"{key.replace('{}', name)} = 'a'"
    for keys in (_TEXT_KEYS[kind], _NUMBER_KEYS[kind], _LIST_KEYS[kind]):
        values = product(("=", "<", "LIKE", "IN"), (*_TEXTS, *_NUMBERS, *_LISTS, *_WRONG_VALUES))
        for key, (operator, value) in product((keys[0], keys[-1]), values):
            yield f"{key.replace('{}', 'a')} {operator} {value}"
