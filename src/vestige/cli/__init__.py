"""The command: one file per verb, each one library call."""
