"""The cache: what was read, and whole answers; on aiocache, in memory or in Redis."""
