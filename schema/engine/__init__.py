"""Execution of operations a level at a time: each field is resolved once for all rows of a table."""
