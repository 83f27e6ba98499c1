"""Write databases as SQL, and their clients' answers: `python -m tests.upstream.dump [VERSION ...]`.

The tests read these files without the MLflow that made them. Each is the same after every run.
"""

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.upstream.questions.answers import Answers
from tests.upstream.version_client import ask_client, fill_store
from tests.upstream.versions import VERSIONS

DUMPS = Path(__file__).parents[1] / "data" / "upstream"
_ARTIFACTS = "s3://artifacts"
_INDEX = re.compile("CREATE (UNIQUE )?INDEX")


def dump(version: str) -> None:
    """Write the dump of a version and its client's answers."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        fill_store(version, uri, _ARTIFACTS, folder)
        answers = ask_client(version, uri, folder)
        sql_file(version).write_text("".join(_statements(folder / "mlflow.db")), encoding="utf-8")
    text = json.dumps(answers.values, ensure_ascii=False, separators=(",", ":"))
    # A line for each record, so that a change of one is a change of a line.
    lines = re.sub(r'(\},)(?=\{"(experimentId|runId|name|modelId)")', "\\1\n", text)
    _answers_file(version).write_text(f"{lines}\n", encoding="utf-8")


def load(version: str, path: Path) -> Answers:
    """Create the SQLite file of a version's dump, and return its client's answers."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql_file(version).read_text(encoding="utf-8"))
    return load_answers(version)


def load_answers(version: str) -> Answers:
    """Return what the client of a version answered about its dump."""
    return Answers(json.loads(_answers_file(version).read_text(encoding="utf-8")))


def sql_file(version: str) -> Path:
    """Return the file with the SQL of a version."""
    return DUMPS / f"{version}.sql"


def _answers_file(version: str) -> Path:
    return DUMPS / f"{version}.json"


def _statements(path: Path) -> Iterator[str]:
    """Yield the statements. MLflow creates some indexes in random order, so they are sorted, at the end."""
    with closing(sqlite3.connect(path)) as connection:
        *statements, commit = connection.iterdump()
    indexes = sorted(each for each in statements if _INDEX.match(each))
    yield from (f"{each}\n" for each in statements if each not in indexes)
    yield from (f"{each}\n" for each in [*indexes, commit])


if __name__ == "__main__":
    for number in sys.argv[1:] or [version.number for version in VERSIONS]:
        dump(number)
