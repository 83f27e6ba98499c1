"""The GraphQL schema of MLflow tracking: its types, their resolvers, and the ports to a store.

It depends neither on HTTP nor on MLflow. `schema.ports.tracking` is the interface of a store.
"""
