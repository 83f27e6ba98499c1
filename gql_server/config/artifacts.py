"""Settings of artifacts: where they may be read from, and how they are downloaded."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class ArtifactSettings(BaseModel):
    """Which artifacts are served, and the limits of listing and downloading them."""

    artifact_roots: str = Field(
        default="",
        description="Local folders that artifacts may be read from and written to, separated as in `PATH`. "
        "By default every folder if the store is a database or a folder and the server listens on a "
        "loopback address, and none otherwise.",
    )
    artifacts_uri: str = Field(
        default="",
        description="MLflow server that serves `mlflow-artifacts:` URIs, if it is not the tracking server.",
    )
    max_artifacts: PositiveInt = Field(
        default=50_000, description="Maximum files and folders of artifacts that one field lists."
    )
    max_downloads: PositiveInt = Field(
        default=64,
        description="Maximum concurrent downloads of one process. Further ones are refused with 503.",
    )
    download_timeout: PositiveFloat = Field(
        default=600.0,
        description="Seconds within which a download must start if MLflow must first fetch the whole file.",
    )
    artifact_spool_bytes: PositiveInt = Field(
        default=4_000_000_000,
        description="Maximum bytes of the temporary folder for files that MLflow can only fetch as a whole.",
    )
