"""Applications in this process, and their clients."""
