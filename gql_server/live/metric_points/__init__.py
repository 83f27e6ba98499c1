"""The stream of the points of metrics: what is there, and then what is logged."""
