"""Rules that judge whether the data are what they used to be; none opens a file or a database."""
