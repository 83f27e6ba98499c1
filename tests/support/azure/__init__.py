"""An emulator of Azure Machine Learning for the tests."""
