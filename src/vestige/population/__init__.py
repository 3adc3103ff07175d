"""Many models: the plan, its tasks, and what they leave on disk."""
