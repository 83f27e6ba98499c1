"""The port over SQL databases."""
