"""The `zap` command: one file a verb; each parses, makes one call, and prints."""
