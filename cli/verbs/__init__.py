"""One file a verb. Each offers `declare`, which adds its arguments, and `run`, which does it."""
