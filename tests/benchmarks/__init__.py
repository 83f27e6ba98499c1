"""Tests of the benchmarks: their results are correct; the times are not tested."""
