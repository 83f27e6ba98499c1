"""MLflow's SQL databases, read directly with SQLAlchemy Core."""
