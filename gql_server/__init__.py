"""A GraphQL server over MLflow tracking: HTTP, authentication, caches and stores around the graph."""

__version__ = "0.1.0"
