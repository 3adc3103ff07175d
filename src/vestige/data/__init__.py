"""What exists, and who trained on what."""
