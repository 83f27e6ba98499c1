"""Tests of schema/exports."""
