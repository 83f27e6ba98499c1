"""The limits of the server, grouped by the layer that enforces them.

Each field has the name of a setting, which has the default. The classes here have no defaults.
"""

from dataclasses import dataclass

from schema.ports.query_limits import QueryLimits


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits of a request and its document, checked before the operation runs, and of stored documents."""

    max_body_bytes: int
    max_document_bytes: int
    max_tokens: int
    max_depth: int
    max_fields: int
    max_aliases: int
    max_root_fields: int
    max_directives: int
    max_fragments: int
    max_values: int
    max_batch: int
    max_cost: int
    document_cache_size: int
    persisted_queries: int


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Limits of the execution of operations in one process; times are in seconds."""

    max_operations: int
    operation_timeout: float
    max_answer_bytes: int
    max_processor_seconds: float
    max_read_bytes: int


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Limits of one call to a store, and of concurrent calls; times are in seconds."""

    store_timeout: float
    schema_check_seconds: float
    store_threads: int
    database_threads: int
    write_threads: int
    max_points: int
    max_sampled_points: int
    max_groups: int
    max_scanned_runs: int
    max_upstream_bytes: int


@dataclass(frozen=True, slots=True)
class ArtifactLimits:
    """Limits of listing, downloading and uploading files; times are in seconds."""

    max_artifacts: int
    max_downloads: int
    download_timeout: float
    artifact_spool_bytes: int
    max_uploads: int
    max_upload_bytes: int
    upload_timeout: float


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """Limits of `/tables`; times are in seconds."""

    max_table_downloads: int
    max_table_columns: int
    max_table_files: int
    table_file_seconds: float
    table_spool_bytes: int


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Limits of the subscriptions of one process; times are in seconds."""

    live_interval: float
    live_concurrency: int
    max_live_calls: float
    max_live_bytes: int
    max_subscriptions: int
    max_caller_subscriptions: int
    max_cohorts: int
    max_stream_runs: int
    max_stream_series: int
    max_stream_points: int
    max_live_points: int
    stream_batch_points: int


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """Limits of the responses of all routes; times are in seconds."""

    max_errors: int
    download_patience: float


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of event streams and WebSockets; times are in seconds."""

    max_live_connections: int
    max_caller_connections: int
    max_socket_operations: int
    socket_init_timeout: float
    live_keep_alive: float
    live_connection_seconds: float


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Limits of the cache; times are in seconds."""

    cache_bytes: int
    cache_timeout: float
    cache_ended_seconds: float
    cache_running_seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits. `Settings.limits` is the only instance of a process."""

    documents: DocumentLimits
    operations: OperationLimits
    queries: QueryLimits
    store: StoreLimits
    artifacts: ArtifactLimits
    exports: ExportLimits
    responses: ResponseLimits
    connections: ConnectionLimits
    live: LiveLimits
    cache: CacheLimits
