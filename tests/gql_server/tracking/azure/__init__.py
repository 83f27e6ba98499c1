"""Azure Machine Learning workspaces, against the emulator in `tests.azure`."""
