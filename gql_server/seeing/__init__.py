"""What operators see of a running server: metrics, traces, and a line for each request."""
