"""Fitting networks and keeping what was fitted: folds, the loop, safetensors."""
