"""Which records are vulnerable, and what sets them apart: arrays in, arrays out; no file here knows torch."""
