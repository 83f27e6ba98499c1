"""The example queries of a documentation page, with their variables and results."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
_EXAMPLE = re.compile(
    r"```graphql\n(?P<query>.*?)```\n+(?:Variables: `(?P<variables>[^\n]*)`\n+)?```json\n(?P<result>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A query, its variables and its result. Ids are placeholders: `RUN(tanh-24)`, `MODEL(tanh-24)`."""

    query: str
    variables: str
    result: str

    def variables_with(self, ids: dict[str, str]) -> dict[str, Any]:
        """Return the variables, with ids in place of the placeholders."""
        variables: dict[str, Any] = json.loads(_with_ids(self.variables, ids))
        return variables

    def result_with(self, ids: dict[str, str]) -> dict[str, Any]:
        """Return the result that the page shows, with ids in place of the placeholders."""
        result: dict[str, Any] = json.loads(_with_ids(self.result, ids))
        return result


def examples(page: str) -> list[Example]:
    """Return the examples of a page in order."""
    matches = _EXAMPLE.finditer((DOCS / page).read_text(encoding="utf-8"))
    return [Example(match["query"], match["variables"] or "{}", match["result"]) for match in matches]


def _with_ids(text: str, ids: dict[str, str]) -> str:
    return re.sub(r"(?:RUN|MODEL)\([^)]*\)", lambda name: ids[name[0]], text)
