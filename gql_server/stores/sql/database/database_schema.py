"""What a database has: MLflow's revision of its schema, the optional features, and an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Table

from gql_server.stores.sql.models.model_tables import (
    DATASETS,
    INPUT_TAGS,
    INPUTS,
    MODEL_METRICS,
    MODEL_PARAMS,
    MODEL_TAGS,
    MODELS,
)
from gql_server.stores.sql.registry.registry_tables import (
    ALIASES,
    REGISTERED,
    REGISTERED_TAGS,
    VERSION_TAGS,
    VERSIONS,
)
from gql_server.stores.sql.tables import (
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    LATEST_METRICS,
    METRICS,
    PARAMS,
    RUNS,
    TAGS,
)
from schema.ports.store_info import StoreFeature

WORKSPACE: Final = "workspace"
"""The column of experiments and of the registry's tables that MLflow 3.10 added."""

TRACKING_TABLES: Final = (EXPERIMENTS, EXPERIMENT_TAGS, RUNS, PARAMS, TAGS, LATEST_METRICS, METRICS)
"""The tables without which no tracking store is served."""
REGISTRY_TABLES: Final = (REGISTERED, REGISTERED_TAGS, VERSIONS, VERSION_TAGS)
"""The tables without which no model registry is served."""
FEATURE_TABLES: Final = {
    StoreFeature.DATASETS: (DATASETS, INPUTS, INPUT_TAGS),
    StoreFeature.LOGGED_MODELS: (MODELS, MODEL_PARAMS, MODEL_TAGS, MODEL_METRICS, INPUTS),
    StoreFeature.REGISTRY: REGISTRY_TABLES,
    StoreFeature.ALIASES: (*REGISTRY_TABLES, ALIASES),
}
"""The tables that each optional feature needs; MLflow added them later than those of runs."""
WORKSPACE_TABLES: Final = (EXPERIMENTS, *REGISTRY_TABLES, ALIASES)
"""The tables with a workspace; a revision of MLflow added the column to all of them at once."""


@dataclass(frozen=True, slots=True)
class DatabaseSchema:
    """The schema of one database.

    `has_start_index` states that its owner added an index on runs by experiment and start.
    """

    revision: str | None
    features: frozenset[StoreFeature]
    has_start_index: bool

    def has(self, feature: StoreFeature) -> bool:
        """Return whether the database has the tables of a feature."""
        return feature in self.features


def columns_without_workspace(table: Table) -> Sequence[Column[object]]:
    """Return the columns of a table that all revisions of MLflow have."""
    return [column for column in table.columns if column.name != WORKSPACE]
