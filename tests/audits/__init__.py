"""Audits by tools of others, against the running server."""
