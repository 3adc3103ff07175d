"""What every other folder stands on: errors, checks, seeds, content hashes and atomic files."""
