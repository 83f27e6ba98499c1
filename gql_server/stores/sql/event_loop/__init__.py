"""Reading from PostgreSQL on the event loop, by asyncpg, without threads."""
