"""Tests of the graph alone, over a store in memory."""
