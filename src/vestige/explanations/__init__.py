"""What sets the vulnerable records of a finished run apart: numbers, figures and a page."""
