"""Labelled count arrays and the slices of history that the networks are shown."""
