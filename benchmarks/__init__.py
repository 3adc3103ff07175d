"""How fast and how lean Vestige is, each figure as a ratio to a named alternative: `python -m benchmarks`."""
