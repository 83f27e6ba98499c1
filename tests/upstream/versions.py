"""The versions of MLflow whose databases this server reads, the oldest first.

docs/compatibility.md describes what to do when a new one appears.
"""

import os
from dataclasses import dataclass

_EVERY = ("REGISTRY", "ALIASES")
_DATASETS = (*_EVERY, "DATASETS")
_MODELS = (*_DATASETS, "LOGGED_MODELS")
_WORKSPACES = (*_MODELS, "WORKSPACES")


@dataclass(frozen=True)
class Version:
    """A version of MLflow, the revision of its databases, and the features that they have."""

    number: str
    revision: str
    features: tuple[str, ...]
    stores: tuple[str, ...] = ("sqlite",)
    """The stores that its client fills: sqlite, postgres, mysql, or server for its own `mlflow server`.

    upgraded is the oldest version's database after this version's `mlflow db upgrade`.
    """
    in_ci: bool = False
    """Whether `make test` runs its MLflow over SQLite; it always reads its dump."""

    def __str__(self) -> str:
        return self.number


VERSIONS = (
    Version("2.3.2", "3500859a5d39", _EVERY, ("sqlite", "server"), in_ci=True),
    Version("2.9.2", "acf3f17fdcc7", _DATASETS, ("sqlite", "postgres", "mysql")),
    Version("2.14.3", "5b0e9adcef9c", _DATASETS),
    Version("2.22.5", "0584bdc529eb", _DATASETS, ("sqlite", "postgres", "mysql"), in_ci=True),
    Version("3.1.4", "bda7b8c39065", _MODELS),
    Version("3.5.1", "bf29a5ff90ea", _MODELS, in_ci=True),
    Version("3.10.1", "1b5f0d9ad7c1", _WORKSPACES),
    Version("3.15.2", "6f8d9c3b2a1e", _WORKSPACES),
    Version("3.17.2", "dc11669786a5", _WORKSPACES, ("sqlite", "server"), in_ci=True),
    Version("3.18.0", "f4a9b2c7d1e6", _WORKSPACES, ("sqlite", "upgraded", "postgres", "mysql", "server")),
)

ALL = bool(os.environ.get("GQL_TEST_ALL_VERSIONS"))
"""Whether the tests run every version over every store, as `make test-versions` does."""

TESTED = tuple(
    (version, store)
    for version in VERSIONS
    for store in version.stores
    if ALL or (version.in_ci and store == "sqlite")
)
"""The versions whose MLflow the tests run, each with one of its stores."""

DIFFERENCES: dict[tuple[str, str], set[str]] = {}
"""The questions that the graph answers otherwise than the client, by version and store."""

UNSUPPORTED_MUTATIONS = {"2.3.2": {"deleteExperimentTags"}}
"""The mutations that a version's `mlflow server` has no endpoint for."""
