"""PostGraphile, a GraphQL server that Node runs on the tables of a Postgres database, beside this server."""
