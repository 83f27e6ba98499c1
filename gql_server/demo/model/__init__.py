"""The logged model of the demo: a small network in plain Python, and its folder, which MLflow loads."""
