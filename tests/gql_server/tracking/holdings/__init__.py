"""Tests of what a store holds beside runs: the same answers on every kind of store."""
