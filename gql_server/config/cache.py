"""Settings of the cache."""

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt


class CacheSettings(BaseModel):
    """Where responses and records are cached, how many, and for how long."""

    cache_url: str = Field(
        default="",
        description="`redis://` URL of a cache that replicas share. By default each process caches in "
        "memory.",
    )
    cache_bytes: PositiveInt = Field(
        default=256_000_000, description="Maximum bytes of the cache in the memory of one process."
    )
    cache_timeout: PositiveFloat = Field(
        default=0.25,
        description="Seconds to wait for Redis. After that the request is served from the store.",
    )
    cache_ended_seconds: NonNegativeFloat = Field(
        default=300.0,
        description="Seconds that histories of finished runs are cached, except over a database. A history "
        "is used only while the last point of its metric is the same. If it is less than "
        "`GQL_CACHE_RUNNING_SECONDS`, that applies.",
    )
    cache_running_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="Seconds that responses, and all records but the histories of finished runs, are cached; "
        "0 turns this off.",
    )
