"""GraphQL types, inputs and resolvers, one file for each entity."""
