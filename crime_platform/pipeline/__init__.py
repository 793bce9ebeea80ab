"""Each step of a run, from an area's files to a judged forecast."""
