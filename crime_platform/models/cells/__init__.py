"""Models of monthly counts per cell."""
