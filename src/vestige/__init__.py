"""Vestige finds out what a trained neural network still remembers of the people in its training data."""
