"""Tests of schema/types."""
