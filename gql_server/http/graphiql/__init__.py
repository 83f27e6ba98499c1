"""GraphiQL, served from files built into the package."""
