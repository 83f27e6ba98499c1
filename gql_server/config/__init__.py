"""Settings: every option of the server, grouped by subject."""
