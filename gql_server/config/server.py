"""Settings of the process: where it listens, whom it answers to, how it stops, what it shows."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, NonNegativeFloat, PositiveInt

from gql_server.config.list_values import check_hosts, check_origins, listed

Port = Annotated[int, Field(ge=0, le=65535)]


class ServerSettings(BaseModel):
    """What one process, or several side by side, are to the network and to whoever runs them."""

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: Port = Field(default=8000, description="The port to listen on; 0 takes a free one.")
    allowed_hosts: Annotated[str, AfterValidator(check_hosts)] = Field(
        default="",
        description="Names that it answers to, beside localhost, addresses and `GQL_HOST`: with commas "
        "between, `*.example.org` for all under one, `*` for any.",
    )
    allowed_origins: Annotated[str, AfterValidator(check_origins)] = Field(
        default="",
        description="Other sites whose pages may ask (CORS), such as `https://app.example.org`: with commas "
        "between, `*` for any.",
    )
    workers: PositiveInt = Field(
        default=1, le=64, description="Processes that serve; each has a cache and connections of its own."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        default="info", description="The least that is logged."
    )
    shutdown_delay: NonNegativeFloat = Field(
        default=1.0,
        le=120,
        description="Seconds from SIGTERM, when `/readyz` turns to 503, until connections are refused.",
    )
    shutdown_timeout: PositiveInt = Field(
        default=10,
        le=600,
        description="Seconds that requests under way may then take; operations that take longer get 503.",
    )
    access_log: bool = Field(
        default=True, description="Whether each request is a line of JSON on stderr, without its variables."
    )
    metrics: bool = Field(
        default=False,
        description="Whether `/metrics` is there for Prometheus; with `GQL_AUTH` it needs credentials too.",
    )
    graphiql: bool = Field(
        default=True, description="Whether a browser that opens /graphql gets the GraphiQL page."
    )

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the sites of `allowed_origins`."""
        return tuple(listed(self.allowed_origins))

    @property
    def host_names(self) -> frozenset[str]:
        """Return the names that the server answers to, beside what is always right."""
        return frozenset(listed(self.allowed_hosts.lower())) | {self.host.lower()}
