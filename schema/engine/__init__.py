"""Execution of an operation level by level."""
