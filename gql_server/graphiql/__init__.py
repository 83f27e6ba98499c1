"""GraphiQL, served from this installation: the page and its files are built into the package."""
