"""One minimal job at a real provider, and what was said meanwhile."""
