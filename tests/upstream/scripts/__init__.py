"""Programs that another version of MLflow runs, in its own Python; they use MLflow's public client only."""
