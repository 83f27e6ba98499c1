"""Artifacts: the files that MLflow's artifact repositories hold, listed and streamed."""
