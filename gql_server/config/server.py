"""Settings of the server process and its network interface."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from gql_server.config.list_values import check_hosts, check_origins, split_list

Port = Annotated[int, Field(ge=0, le=65535)]


class ServerSettings(BaseModel):
    """Where the server listens, which clients it accepts, when it disconnects them, and how it stops."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8000, description="Port to listen on; 0 chooses a free port.")
    allowed_hosts: Annotated[str, AfterValidator(check_hosts)] = Field(
        default="",
        description="Accepted host names, separated by commas; `*.example.org` accepts all subdomains, and "
        "`*` any name. Localhost, IP addresses and `GQL_HOST` are always accepted.",
    )
    allowed_origins: Annotated[str, AfterValidator(check_origins)] = Field(
        default="",
        description="Origins whose pages may send requests (CORS), such as `https://app.example.org`, "
        "separated by commas; `*` allows any. None by default.",
    )
    get_needs_header: bool = Field(
        default=False,
        description="Require a header in GET requests that browsers send across origins only after a "
        "preflight, such as `apollo-require-preflight`.",
    )
    graphiql: bool = Field(default=True, description="Serve the GraphiQL page to browsers at `/graphql`.")
    workers: PositiveInt = Field(
        default=1,
        le=64,
        description="Number of server processes. Each has its own memory cache and its own connections.",
    )
    shutdown_delay: NonNegativeFloat = Field(
        default=1.0,
        le=120,
        description="Seconds between SIGTERM and the closing of the port. `/readyz` returns 503 meanwhile.",
    )
    shutdown_timeout: PositiveInt = Field(
        default=10,
        le=600,
        description="Seconds that requests in flight may take after the closing of the port. "
        "Operations that take longer get 503.",
    )
    download_patience: PositiveFloat = Field(
        default=60.0,
        description="Seconds that a client may take to accept the next part of a response. After that it is "
        "disconnected.",
    )

    @property
    def is_local_server(self) -> bool:
        """Return whether only this machine can connect: the server listens on a loopback address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the origins of `allowed_origins`."""
        return tuple(split_list(self.allowed_origins))

    @property
    def host_names(self) -> frozenset[str]:
        """Return the host names of `allowed_hosts`, and the address that the server listens on."""
        return frozenset(split_list(self.allowed_hosts.lower())) | {self.host.lower()}
