"""The artifact service that the settings specify."""

from gql_server.artifacts.repositories import Repositories
from gql_server.artifacts.service import ArtifactService
from gql_server.config.settings import Settings
from gql_server.stores.factory import azure_options
from gql_server.stores.mlflow.http_settings import configure_http
from schema.ports.tracking import Tracking


def artifact_service_from(settings: Settings, tracking: Tracking) -> ArtifactService:
    """Return the service that reads the artifacts of a store's runs and logged models."""
    if settings.artifacts_uri:
        configure_http(settings.store_threads, settings.store_timeout)
    repositories = Repositories(
        settings.tracking_uri,
        server_uri=settings.artifacts_uri,
        roots=settings.artifact_roots,
        spool_bytes=settings.artifact_spool_bytes,
        azure=azure_options(settings),
        timeout=settings.store_timeout,
        most=settings.max_artifacts,
    )
    return ArtifactService(
        tracking,
        repositories,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        patience=settings.download_timeout,
        most=settings.max_artifacts,
    )
