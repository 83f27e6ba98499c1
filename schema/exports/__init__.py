"""Flat rows, read in bounded chunks."""
