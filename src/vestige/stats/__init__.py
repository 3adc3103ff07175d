"""Statistics of plain arrays: no file here knows what a member is."""
