"""Tests of the demo store."""
