"""HTTP: requests, responses, errors and middleware."""
