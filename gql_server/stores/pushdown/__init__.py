"""Searches split between a store and this server."""
