"""Artifacts: listing, downloading and uploading files through MLflow's repositories."""
