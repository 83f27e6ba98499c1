"""Datasets and logged models in SQL."""
