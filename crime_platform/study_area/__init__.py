"""The study area's TOML file: what it may say, and how it is read."""
