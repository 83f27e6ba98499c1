"""The differences between the databases, one module each."""
