"""The kinds of tracking stores."""

from enum import Enum

import strawberry


@strawberry.enum(description="The kinds of tracking stores.")
class StoreKind(Enum):
    """The kind of a tracking store, from its tracking URI."""

    SQL = strawberry.enum_value("SQL", description="An SQL database, which this server reads directly.")
    MLFLOW_SERVER = strawberry.enum_value("MLFLOW_SERVER", description="An MLflow tracking server.")
    AZURE_ML = strawberry.enum_value("AZURE_ML", description="An Azure Machine Learning workspace.")
    FILE = strawberry.enum_value("FILE", description="A folder of files, MLflow's former default.")
    OTHER = strawberry.enum_value(
        "OTHER", description="Another store that MLflow can open, for example through a plugin."
    )
