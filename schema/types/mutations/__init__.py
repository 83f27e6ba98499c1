"""Mutations, their inputs and payloads."""
