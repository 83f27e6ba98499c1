"""Searches of which the store runs one part (the pushdown) and this server the rest."""
