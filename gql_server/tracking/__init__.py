"""The port's implementations, and the cached one that wraps any of them."""
