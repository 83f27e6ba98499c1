"""The least ASGI application that answers S1 to S3 with the same bytes as the server: their limit."""
