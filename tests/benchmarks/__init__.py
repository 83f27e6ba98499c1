"""Tests of the benchmarks: their results are correct, whatever the times."""
