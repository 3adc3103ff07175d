"""Designs: the same audit under varied conditions, and the comparison of what they give."""
