"""Where things are: the square grid and the street graph, in a projected CRS."""
