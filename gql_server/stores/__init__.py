"""The stores: implementations of the ports over databases, MLflow servers and Azure ML."""
