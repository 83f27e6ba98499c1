"""The ports: the interfaces through which the graph reads and changes a tracking store, and their records.

Each method of a port is documented here, once. Implementations carry no docstring unless they differ.
"""
