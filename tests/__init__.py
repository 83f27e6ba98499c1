"""Tests; a package, so that mypy checks it and its modules may import one another."""
