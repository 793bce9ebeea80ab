"""Models of daily counts per street."""
