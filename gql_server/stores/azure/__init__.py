"""Stores of Azure Machine Learning workspaces."""
