"""Artifacts: list, download and upload files through MLflow's artifact repositories."""
