"""Filters of runs: keys, quoting, values, and MLflow's messages for what is refused."""

import math
from typing import Any

import pytest

from gql_server.stores.filters.run_filters import RUN_FILTERS
from schema.ports.errors import BadUserInput


def _parsed(text: str) -> list[tuple[str, str, str, Any]]:
    return [(each.by, each.key, each.operator, each.value) for each in RUN_FILTERS.parse(text)]


@pytest.mark.parametrize(
    ("text", "by", "key"),
    [
        ("params.a", "param", "a"),
        ("param.a", "param", "a"),
        ("parameters.a", "param", "a"),
        ("`parameter`.a", "param", "a"),
        ("tag.a", "tag", "a"),
        ("tags.`a b`", "tag", "a b"),
        ('tags."a`b"', "tag", "a`b"),
        ("tags.'it''s'", "tag", "it''s"),
        ("tags.mlflow.user", "tag", "mlflow.user"),
        ("tags.`a`.`b`", "tag", "a`.`b"),
        ("tags.select", "tag", "select"),
        ("tags.in_features", "tag", "in_features"),
        ("tags.日本", "tag", "日本"),
        ("tags.1x", "tag", "1x"),
        ("tags._a$b", "tag", "_a$b"),
        ("tags.@ab", "tag", "@ab"),
        ("tags.layers[0][1]", "tag", "layers[0][1]"),
        ("tags.[x y]", "tag", "[x y]"),
        ("tags.mAP(0.5)", "tag", "mAP(0.5)"),
        ("tags.en->de", "tag", "en->de"),
        ("tags.Net::loss", "tag", "Net::loss"),
        ("tags. a . b", "tag", " a . b"),
        ("tags.*", "tag", "*"),
        ("tags.", "tag", ""),
        ("status", "attribute", "status"),
        ('"status"', "attribute", "status"),
        ("attr.status", "attribute", "status"),
        ("run.`run_id`", "attribute", "run_id"),
        ("attributes.`Run Name`", "attribute", "run_name"),
        ("datasets.digest", "dataset", "digest"),
    ],
)
def test_key_is_read_as_mlflow_reads_it(text: str, by: str, key: str) -> None:
    """Prefixes, aliases, quotes and backticks are MLflow's; nothing inside quotes is unescaped."""
    assert _parsed(f"{text} = 'x'") == [(by, key, "eq", "x")]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'x'", "x"),
        ('"x"', "x"),
        ("''", ""),
        ("'it''s'", "it''s"),
        (r"'it\'s'", r"it\'s"),
        ('"it\'s"', "it's"),
        ("'a\nb -- c /* d */ AND e'", "a\nb -- c /* d */ AND e"),
        ("'100%_'", "100%_"),
    ],
)
def test_text_is_taken_literally(literal: str, value: str) -> None:
    """Quotes are removed from the ends of a value and nothing else is changed."""
    assert _parsed(f"params.a={literal}") == [("param", "a", "eq", value)]


@pytest.mark.parametrize(
    ("literal", "in_metric", "in_time"),
    [
        ("5", 5.0, 5),
        ("-5", -5.0, -5),
        ("5.", 5.0, 5),
        (".5", 0.5, 0.5),
        ("-1.5e3", -1500.0, -1500),
        ("1E-2", 0.01, 0.01),
        ("1e+3", 1000.0, 1000),
        ("-1.5E+0", -1.5, -1.5),
        ("9223372036854775807", 2.0**63, 2**63 - 1),
        ("9223372036854775808", 2.0**63, 2.0**63),
        ("-9223372036854775808", -(2.0**63), -(2**63)),
        ("1e400", math.inf, math.inf),
        ("-1e400", -math.inf, -math.inf),
        ("1" + "0" * 5000, math.inf, math.inf),
    ],
)
def test_number_has_one_form(literal: str, in_metric: float, in_time: float) -> None:
    """A metric is compared with a float; a time with an integer of 64 bits, or else with a float."""
    ((_, _, _, metric),) = _parsed(f"metrics.a < {literal}")
    assert (metric, type(metric)) == (in_metric, float)
    for key in ("start_time", "attributes.Created"):
        ((_, name, _, time),) = _parsed(f"{key} < {literal}")
        assert (name, time, type(time)) == ("start_time", in_time, type(in_time))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("('a')", ("a",)),
        ("('a', 'b')", ("a", "b")),
        ("( \"a\",'b', )", ("a", "b")),
        ("('A', '1')", ("A", "1")),
        (r"('a\x41\'', 'C:\dir')", ("aA'", r"C:\dir")),
        ("('a)', '(')", ("a)", "(")),
    ],
)
def test_list_is_read_as_a_python_tuple(text: str, values: tuple[str, ...]) -> None:
    """Lists have Python's quotes and escapes, as in MLflow, and case is kept."""
    assert _parsed(f"run_id IN {text}") == [("attribute", "run_id", "in", values)]
    assert _parsed(f"dataset.name not in{text}") == [("dataset", "name", "not_in", values)]


def test_comparisons_are_combined() -> None:
    """AND may be missing or repeated, but not before IN and IS after a comparison with a value."""
    a, b, c = (
        ("param", "a", "eq", "x"),
        ("param", "b", "is_null", True),
        ("attribute", "run_id", "in", ("i",)),
    )
    assert _parsed("params.a = 'x' AND params.b IS NULL and run_id in ('i')") == [a, b, c]
    assert _parsed("AND params.a='x'AND AND params.b is null run_id IN('i') params.a = 'x' AND") == [
        a,
        b,
        c,
        a,
    ]
    assert _parsed("params.b IS NOT NULL") == [("param", "b", "is_null", False)]
    assert _parsed("") == []
    assert RUN_FILTERS.parse(None) == ()
    for text in ("params.a = 'x' params.b IS NULL", "run_id IN ('i') run_id IN ('i')"):
        with pytest.raises(BadUserInput, match=r"Invalid clause\(s\)"):
            RUN_FILTERS.parse(text)


_KEYS = (
    "{'Created', 'Run Name', 'Run name', 'artifact_uri', 'created', 'end_time', 'run name', 'run_id', "
    "'run_name', 'start_time', 'status', 'user_id'}"
)
_KINDS = "['metric', 'parameter', 'tag', 'attribute', 'dataset']"
_NOT_QUOTED = (
    "Parameter value is either not quoted or unidentified quote types used for string value b. "
    "Use either single or double quotes."
)
_LIST = "While parsing a list in the query, expected"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ", "Invalid filter ' '. Could not be parsed."),
        ("params.a = 'b' OR params.a = 'c'", "Invalid clause(s) in filter string: 'OR'"),
        ("a OR b", "Invalid clause(s) in filter string: 'a', 'OR', 'b'"),
        ("(params.a = 'b')", "Invalid clause(s) in filter string: '(params.a = 'b')'"),
        ("status = 'RUNNING", "Invalid clause(s) in filter string: 'status', '=', ''', 'RUNNING'"),
        ("status = 'a' -- b", "Invalid clause(s) in filter string: '-- b'"),
        ("status = 'a';", "Invalid clause(s) in filter string: ';'"),
        (
            "a = 1; DROP",
            "Search filter contained multiple expression 'a = 1; DROP'. Provide AND-ed expression list.",
        ),
        ("params.in = 'x'", "Invalid clause(s) in filter string: 'params.', 'in', '=', ''x''"),
        ("run_id IN 'a'", "Invalid clause(s) in filter string: 'run_id', 'IN', ''a''"),
        ("metrics.1 > 0", "Invalid clause(s) in filter string: 'metrics'"),
        (
            "metrics.val/loss < 1",
            "Invalid comparison clause. Expected 'Identifier' found 'metrics.val/loss'",
        ),
        ("'x' = params.a", "Invalid comparison clause. Expected 'Identifier' found ''x''"),
        ("Tags.a = 'x'", f"Invalid entity type 'Tags'. Valid values are {_KINDS}"),
        ("a = 'x'", f"Invalid attribute key 'a' specified. Valid keys are '{_KEYS}'"),
        (
            "dataset.a = 'x'",
            "Invalid dataset key 'a' specified. Valid keys are '{'context', 'digest', 'name'}'",
        ),
        ("params.a = b", _NOT_QUOTED),
        ("params.a < 5", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"),
        ("tags.a IN ('b')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('b')"),
        ("tags.a = NULL", "Expected a quoted string value for tag (e.g. 'my-value'). Got value NULL"),
        ("status = 5", "Expected a quoted string value for attributes. Got value 5"),
        ("dataset.name = 5", "Expected a quoted string value for dataset attributes. Got value 5"),
        ("metrics.a < 'x'", "Expected numeric value type for metric. Found 'x'"),
        ("created < 'x'", "Expected numeric value type for numeric attribute: created. Found 'x'"),
        (
            "status IN ('a')",
            "Only ['run_id'] attributes support comparison with a list of quoted string values.",
        ),
        ("run_id IN ()", f"{_LIST} a non-empty list of string values, but got empty list"),
        ("run_id IN (a)", f"{_LIST} a non-empty list of string values, but got ill-formed list."),
        (
            "run_id IN ('a', 1)",
            f"{_LIST} string value, punctuation, or whitespace, but got different type in list: ('a', 1)",
        ),
        ("run_id = ('a')", "A list of values is only supported with IN and NOT IN, not with =."),
        (
            "metrics.a IS NULL",
            "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'",
        ),
        ("status > 'a'", "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'LIKE'}'"),
        ("tags.a not  like 'a'", "Invalid comparator 'NOT LIKE' not one of '{'!=', '=', 'ILIKE', 'LIKE'}'"),
        ("metrics.a == 1", "Invalid comparator '==' not one of '{'!=', '<', '<=', '=', '>', '>='}'"),
        ("start_time <> 1", "Invalid comparator '<>' not one of '{'!=', '<', '<=', '=', '>', '>='}'"),
    ],
)
def test_refused_filter_has_mlflows_message(text: str, message: str) -> None:
    """The error has MLflow's message; the sets in it are sorted."""
    with pytest.raises(BadUserInput) as refused:
        RUN_FILTERS.parse(text)
    assert str(refused.value) == message


def test_message_is_short_and_names_no_url() -> None:
    """A message quotes the filter on one line, without URLs, up to a limit."""
    with pytest.raises(BadUserInput) as refused:
        RUN_FILTERS.parse(f"params.a =\n http://user@host/x {'y' * 5000}")
    assert "user@host" not in str(refused.value)
    assert len(str(refused.value)) < 600
