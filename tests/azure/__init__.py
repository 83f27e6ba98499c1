"""An emulator of Azure Machine Learning's MLflow endpoints, and the tests against it.

Nothing here was compared with the real service, which is not to be had: what it refuses is what Microsoft's
article and users' reports say that it refuses. The plugin, azure-identity and TLS are real.
"""
