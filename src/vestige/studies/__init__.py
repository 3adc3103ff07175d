"""Studies: what a paper claims, run again, and what came out."""
