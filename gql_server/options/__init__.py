"""The settings by what they are about; `gql_server.settings` has them all."""
