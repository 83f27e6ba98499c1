"""GraphiQL and the example dashboard in a real browser."""
