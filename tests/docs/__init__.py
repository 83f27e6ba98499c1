"""The documentation's promises, kept by running them."""
