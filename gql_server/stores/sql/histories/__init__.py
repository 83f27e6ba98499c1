"""Metric histories in SQL."""
