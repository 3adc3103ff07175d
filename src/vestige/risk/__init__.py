"""What the scores of attacks say about risk: pure functions of arrays, no torch and no drawing."""
