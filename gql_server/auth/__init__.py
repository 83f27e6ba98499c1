"""Authentication schemes, the middleware that applies them, and rate limits."""
