"""Workbooks, vector files and JSON lines turned into one plain Parquet table, in a child process.

The libraries that read them are native code: of a damaged file they may end the process or ask for
all memory there is. The child has a limit of its own, and its end is a message, not ours.
"""
