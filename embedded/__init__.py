"""Real PostgreSQL and Valkey on this machine, for whoever sets no DATABASE_URL or REDIS_URL. Standard library only."""
