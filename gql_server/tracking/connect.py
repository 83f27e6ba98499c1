"""From the settings to the store that they name."""

from gql_server.settings import Settings, default_tracking_uri
from gql_server.tracking.mlflow_store import MlflowTracking


def connect(settings: Settings) -> MlflowTracking:
    """Return the store at the settings' tracking URI; it is opened with its first use.

    Only MLflow's own default store is made where it is not there yet, as MLflow itself would.
    """
    return MlflowTracking(
        settings.tracking_uri,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        max_scanned_runs=settings.max_scanned_runs,
        create=settings.tracking_uri == default_tracking_uri(),
    )
