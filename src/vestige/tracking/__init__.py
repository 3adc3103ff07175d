"""One run of the user's own training loop, measured step by step without changing it."""
