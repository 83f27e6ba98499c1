"""Settings of event streams and WebSockets at `/graphql`."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class ConnectionSettings(BaseModel):
    """How many connections stay open for events, and how long."""

    # Each takes up to 50 kB.
    max_live_connections: PositiveInt = Field(
        default=5000, description="Maximum open event streams and WebSockets of one process."
    )
    # All anonymous clients behind one proxy or one NAT count as one caller.
    max_caller_connections: PositiveInt = Field(
        default=1000,
        description="Maximum open event streams and WebSockets of one caller in one process. Without "
        "authentication each address is a caller.",
    )
    # A page with a chart for each run of a comparison has up to 100 (`GQL_MAX_COMPARED_RUNS`).
    max_socket_operations: PositiveInt = Field(
        default=100, description="Maximum operations that run at the same time over one WebSocket."
    )
    # A client that waits for a login or a token takes seconds. The protocol's own server has 3 seconds.
    socket_init_timeout: PositiveFloat = Field(
        default=10.0, description="Seconds in which a WebSocket must send `connection_init`."
    )
    # nginx and most load balancers close a connection that is silent for 60 seconds.
    live_keep_alive: PositiveFloat = Field(
        default=15.0,
        le=300,
        description="Seconds between two comments of a silent event stream, and between two pings of a "
        "WebSocket. A client that does not respond to a ping until the next is disconnected.",
    )
    # Clients thus move to new replicas, and keys that were withdrawn end.
    live_connection_seconds: PositiveFloat = Field(
        default=3600.0,
        description="Seconds after which an event stream or a WebSocket is closed so that the client "
        "connects again.",
    )
