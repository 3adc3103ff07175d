"""The main job, end to end: options, plan, training, attacks, findings, files."""
