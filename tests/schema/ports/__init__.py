"""Tests of schema/ports."""
