"""Changes to a tracking store, made through MLflow's own stores."""
