"""The GraphQL-over-HTTP audits and schema-driven fuzzing."""
