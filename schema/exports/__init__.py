"""Flat rows of experiments, runs and their data, read from any store in chunks of limited size."""
