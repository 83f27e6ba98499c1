"""A local MLflow store full of real runs, to try the graph on: ``gql_server.demo.fill.fill`` makes it."""
