"""Benchmarks that compare the server's response times with the shortest possible ones."""
