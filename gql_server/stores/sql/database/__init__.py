"""A database that is opened for reading: its engine, its schema, and how both are renewed."""
