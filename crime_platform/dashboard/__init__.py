"""The 3D page over a release: what it reads, the server, and the page as one file."""
