"""The logged model of the demo: a small network in plain Python, and the folder that MLflow loads it from."""
