"""Defenses: each edits a recipe so that what is trained remembers less, or is meant to."""
