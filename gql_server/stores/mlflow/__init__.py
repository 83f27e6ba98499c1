"""Stores that are read with MLflow's own client: MLflow servers, file stores and plugins."""
