"""Searches for a model's settings: trials, workers, what was found and how it is told."""
