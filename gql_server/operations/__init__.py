"""GraphQL operations: documents, limits, cost and execution."""
