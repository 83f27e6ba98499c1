"""uvicorn's parsers of HTTP/1.1, with bounds on what they read and responses in JSON to what they refuse."""
