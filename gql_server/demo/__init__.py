"""The demo store: a local MLflow store with runs of real trainings, made by ``gql_server.demo.fill``."""
