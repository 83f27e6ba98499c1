"""Tests with the tools that docs/bi.md has recipes for."""
