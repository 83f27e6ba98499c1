"""Tests of the stream of the points of metrics."""
