"""The queries of a page of documentation, with their variables and the answers that it shows."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
_EXAMPLE = re.compile(
    r"```graphql\n(?P<query>.*?)```\n+(?:Variables: `(?P<variables>[^\n]*)`\n+)?```json\n(?P<answer>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A query, and what it answers by the page, with names for ids: `RUN(tanh-24)`, `MODEL(tanh-24)`."""

    query: str
    variables: str
    answer: str

    def asked(self, ids: dict[str, str]) -> dict[str, Any]:
        """Return the variables, with ids in place of names."""
        variables: dict[str, Any] = json.loads(_with_ids(self.variables, ids))
        return variables

    def expected(self, ids: dict[str, str]) -> dict[str, Any]:
        """Return the data that the page shows, with ids in place of names."""
        answer: dict[str, Any] = json.loads(_with_ids(self.answer, ids))
        return answer


def examples(page: str) -> list[Example]:
    """Return the examples of a page, in its order."""
    found = _EXAMPLE.finditer((DOCS / page).read_text(encoding="utf-8"))
    return [Example(one["query"], one["variables"] or "{}", one["answer"]) for one in found]


def _with_ids(text: str, ids: dict[str, str]) -> str:
    return re.sub(r"(?:RUN|MODEL)\([^)]*\)", lambda name: ids[name[0]], text)
