"""Names that are difficult to quote, to put into a URL, or to compare."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

_PIECES = (
    *("a", "A", "é", "e\u0301", "日本", "🙂", "0", "-1", "null", "None", "IN", "mlruns"),
    *(
        "%",
        "%25",
        "%2F",
        "_",
        "\\",
        "/",
        "'",
        '"',
        "`",
        "#",
        "?",
        "&",
        "+",
        ":",
        ";",
        ",",
        "(",
        "*",
        "~",
    ),
    *(" ", "  ", "\n", "\r\n", "\t", ".", "..", "\x7f", "\ufeff", "\u200d", "\u202e", "--", "/*"),
)
any_name = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
"""Texts that are difficult to quote, to put into a URL, or to compare; without NUL, which is not stored."""
IN_ONE_STORE = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Examples that share a store, which thus cannot be shrunk."""
