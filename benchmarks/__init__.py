"""The benchmarks: how near the server comes to the least that its answers could cost."""
