"""The families of tracking stores, by what they can do themselves."""

from enum import Enum

import strawberry


@strawberry.enum(description="The families of tracking stores.")
class StoreKind(Enum):
    """What kind of tracking URI the server was given."""

    SQL = strawberry.enum_value("SQL", description="A database, read directly.")
    MLFLOW_SERVER = strawberry.enum_value("MLFLOW_SERVER", description="An MLflow tracking server.")
    AZURE_ML = strawberry.enum_value("AZURE_ML", description="An Azure Machine Learning workspace.")
    FILE = strawberry.enum_value("FILE", description="A folder of files, MLflow's former default.")
    OTHER = strawberry.enum_value(
        "OTHER", description="Another store that MLflow opens, by a plugin perhaps."
    )
