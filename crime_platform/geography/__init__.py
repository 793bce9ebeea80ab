"""Where things are: the square grid in a projected CRS."""
