"""What a version's own client answered, with the look-ups that several questions need."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """The JSON of `scripts.answer`. Records have the names of the graph."""

    values: Record

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment."""
        (found,) = (each["experimentId"] for each in self["experiments"] if each["name"] == name)
        return str(found)

    def experiment_ids(self, stages: Collection[str] = ("ACTIVE", "DELETED")) -> list[str]:
        """Return the ids of all experiments in these stages."""
        return [each["experimentId"] for each in self["experiments"] if each["lifecycleStage"] in stages]

    def run(self, name: str) -> Record:
        """Return a run."""
        (found,) = (each for each in self["runs"] if each["name"] == name)
        assert isinstance(found, dict)
        return found

    def active_runs(self, experiment: str | None = None) -> list[Record]:
        """Return the active runs of an experiment, or of all active experiments, in the default order."""
        ids = [self.experiment_id(experiment)] if experiment else self.experiment_ids(["ACTIVE"])
        return [
            each
            for each in self["runs"]
            if each["lifecycleStage"] == "ACTIVE" and each["experimentId"] in ids
        ]


class Question(NamedTuple):
    """A document, and the data that the server must answer."""

    document: str
    data: Any


Ask: TypeAlias = Callable[[Answers], Question]
"""Makes a question of what the client answered."""


def select(record: Record, *names: str) -> Record:
    """Return some fields of a record."""
    return {name: record[name] for name in names}


def without(record: Record, *names: str) -> Record:
    """Return a record without some fields."""
    return {name: value for name, value in record.items() if name not in names}


def nodes(records: list[Any]) -> Record:
    """Return a connection with these nodes."""
    return {"nodes": records}


def named(names: list[str]) -> Record:
    """Return a connection whose nodes have these names."""
    return nodes([{"name": name} for name in names])


def each_search(found: dict[str, list[str]], selection: Callable[[str], str]) -> Question:
    """Return one question with all searches; each must return the nodes with these names, in this order.

    `selection` returns the field of a search, whose nodes select their name only.
    """
    fields = [f"s{number}: {selection(text)} {{ nodes {{ name }} }}" for number, text in enumerate(found)]
    data = {f"s{number}": named(names) for number, names in enumerate(found.values())}
    return Question(f"{{ {' '.join(fields)} }}", data)


def counted(found: dict[str, list[str]], selection: Callable[[str], str]) -> Question:
    """Return one question with the number of nodes of all searches, without their nodes."""
    fields = [f"s{number}: {selection(text)} {{ totalCount }}" for number, text in enumerate(found)]
    data = {f"s{number}": {"totalCount": len(names)} for number, names in enumerate(found.values())}
    return Question(f"{{ {' '.join(fields)} }}", data)
