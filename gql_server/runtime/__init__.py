"""Threads, cancellation, retries, limits and shutdown."""
