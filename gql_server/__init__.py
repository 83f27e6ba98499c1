"""A GraphQL server over MLflow tracking: HTTP, MLflow and a cache, plugged into the graph of `schema`."""

__version__ = "0.1.0"
