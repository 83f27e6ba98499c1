"""The ports: what the graph asks of a store, and the records that it asks with."""
