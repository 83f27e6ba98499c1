"""This server's definitions of MLflow's tables, compared with the models of the installed MLflow."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from mlflow.store.db.base_sql_model import Base
from mlflow.store.model_registry.dbmodels import models as _registry_models
from mlflow.store.tracking.dbmodels import models as _tracking_models
from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, Text
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

from gql_server.stores.sql.models import model_tables
from gql_server.stores.sql.registry import registry_tables
from gql_server.stores.sql.tables import METADATA

# A table is in the metadata once its module is imported.
_IMPORTED: Final = (_tracking_models, _registry_models, model_tables, registry_tables)
_DIALECTS: Final[list[Any]] = [module.dialect() for module in (sqlite, postgresql, mysql, mssql)]
_SINCE_3_17: Final[dict[str, TypeEngine[Any]]] = {
    "experiment_tags.value": Text()
    .with_variant(mysql.MEDIUMTEXT(), "mysql")
    .with_variant(mssql.NVARCHAR(None), "mssql")
}
"""Types that are read as the defined ones are: a longer text."""


def _differences(own: MetaData, models: MetaData) -> Iterator[str]:
    """Yield each table and column that the models lack or define with another type."""
    for table in own.sorted_tables:
        model = models.tables.get(table.name)
        for column in table.columns:
            if model is None or column.name not in model.columns:
                yield f"{column} is missing"
                continue
            types = [column.type, _SINCE_3_17.get(str(column), column.type)]
            found = _sql(model.columns[column.name].type)
            if found not in [_sql(type_) for type_ in types]:
                yield f"{column} is {found}"


def _sql(type_: TypeEngine[Any]) -> list[str]:
    """Return the type in the SQL of each dialect: length, precision and collation included."""
    return [type_.compile(dialect=dialect) for dialect in _DIALECTS]


def test_tables_match_models_of_installed_mlflow() -> None:
    """MLflow's models have each table and column that this server reads, with the same type."""
    assert len(METADATA.tables) == 19
    assert not list(_differences(METADATA, Base.metadata))


def _retype(table: str, column: str, type_: TypeEngine[Any]) -> Callable[[MetaData], None]:
    def change(copy: MetaData) -> None:
        copy.tables[table].columns[column].type = type_

    return change


def _add_column(copy: MetaData) -> None:
    copy.tables["runs"].append_column(Column("colour", String(20)))


def _add_table(copy: MetaData) -> None:
    Table("runs_of_old", copy, Column("run_uuid", String(32)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_add_column, "runs.colour"),
        (_add_table, "runs_of_old.run_uuid"),
        (_retype("metrics", "value", Numeric()), "metrics.value"),
        (_retype("metrics", "is_nan", Integer()), "metrics.is_nan"),
        (_retype("runs", "start_time", Integer()), "runs.start_time"),
        (_retype("params", "value", String(500)), "params.value"),
        (_retype("tags", "value", String(8000, collation="C")), "tags.value"),
        (_retype("datasets", "dataset_source", Text()), "datasets.dataset_source"),
        (_retype("model_versions", "version", String(20)), "model_versions.version"),
    ],
)
def test_comparison_finds_each_kind_of_difference(change: Callable[[MetaData], None], expected: str) -> None:
    """A copy of the definitions with one error differs from MLflow's models in that column alone."""
    copy = MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(copy)
    change(copy)
    (difference,) = _differences(copy, Base.metadata)
    assert difference.startswith(f"{expected} is ")
