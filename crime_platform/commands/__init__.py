"""One file a command, and what they share: the terminal, the run, which area is meant."""
