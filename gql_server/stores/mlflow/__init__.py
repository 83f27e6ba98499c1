"""The stores that MLflow's own client reads: MLflow servers, file stores and plugins."""
