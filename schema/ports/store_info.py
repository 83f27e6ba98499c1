"""What a store has: its features, and the revision of its database."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

import strawberry


@strawberry.enum(description="What a store may have besides experiments and runs.")
class StoreFeature(Enum):
    """A part of MLflow that not every version and not every kind of store has."""

    DATASETS = strawberry.enum_value(
        "DATASETS",
        description="The datasets that runs read, since MLflow 2.4. Without them `datasets` is empty.",
    )
    LOGGED_MODELS = strawberry.enum_value(
        "LOGGED_MODELS", description="Logged models, since MLflow 3.0. Without them their lists are empty."
    )
    REGISTRY = strawberry.enum_value(
        "REGISTRY", description="A model registry. Without it there are no registered models."
    )
    ALIASES = strawberry.enum_value(
        "ALIASES", description="Aliases of model versions, since MLflow 2.3. Without them `aliases` is empty."
    )
    WORKSPACES = strawberry.enum_value(
        "WORKSPACES", description="Experiments and registered models in workspaces, since MLflow 3.10."
    )
    ARTIFACTS = strawberry.enum_value("ARTIFACTS", description="The files of runs and logged models.")


REGISTRY_FEATURES: Final = frozenset({StoreFeature.REGISTRY, StoreFeature.ALIASES})
"""The features that a registry has, which may be in another store than the runs."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The revision of a store's database, None for a store without one, and the store's features."""

    database_revision: str | None
    features: Collection[StoreFeature]
