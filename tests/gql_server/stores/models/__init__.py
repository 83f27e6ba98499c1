"""Tests of the model and registry ports on every store."""
