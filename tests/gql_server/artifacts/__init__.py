"""Tests of artifacts: their folders, and their files over HTTP."""
