"""Tests of opening databases for reading."""
