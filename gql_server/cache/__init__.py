"""The response cache and the record cache, on aiocache, in memory or in Redis."""
