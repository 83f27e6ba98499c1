"""PostGraphile has the data of the workloads."""
