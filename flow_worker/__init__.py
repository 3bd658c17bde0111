"""A worker for flows: it runs on any machine that reaches the server, and needs neither Django nor a database."""
