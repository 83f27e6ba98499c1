"""Tests of schema/engine."""
