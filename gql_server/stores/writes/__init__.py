"""Writes, made by MLflow's own stores."""
