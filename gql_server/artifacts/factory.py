"""The artifact services that the settings specify."""

from gql_server.artifacts.access_policy import AccessPolicy
from gql_server.artifacts.repositories import Repositories
from gql_server.artifacts.service import ArtifactService
from gql_server.artifacts.upload_service import UploadService
from gql_server.artifacts.upload_targets import UploadTargets
from gql_server.cache.cached_store import CachedStore
from gql_server.config.settings import Settings
from gql_server.stores.mlflow.http_settings import configure_http
from schema.ports.tracking import Tracking


def artifact_service_from(settings: Settings, tracking: Tracking) -> ArtifactService:
    """Return the service that reads the artifacts of a store's runs and logged models."""
    if settings.artifacts_uri:
        configure_http(settings.store_threads, settings.store_timeout)
    limits = settings.limits
    repositories = Repositories(
        access_policy_from(settings), limits.artifacts, settings.azure_options, limits.store.store_timeout
    )
    return ArtifactService(tracking, repositories, limits.artifacts, limits.store)


def upload_service_from(settings: Settings, store: CachedStore) -> UploadService:
    """Return the service that writes files to the artifacts of a store's runs."""
    return UploadService(UploadTargets(access_policy_from(settings)), store, settings.limits.artifacts)


def access_policy_from(settings: Settings) -> AccessPolicy:
    """Return the policy of the settings for artifact locations."""
    return AccessPolicy(
        settings.tracking_uri,
        settings.artifacts_uri,
        settings.artifact_roots,
        is_local_server=settings.is_local_server,
    )
