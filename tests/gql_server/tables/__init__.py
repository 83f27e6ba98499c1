"""Tests of /tables."""
