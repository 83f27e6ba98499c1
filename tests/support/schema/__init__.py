"""The store in memory, and execution of queries over it."""
