"""The graph over MLflow tracking: its types, its resolvers, and the port to a store.

It knows GraphQL, and neither HTTP nor MLflow: `schema.ports.tracking` is what it asks a store.
"""
