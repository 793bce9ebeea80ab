"""Dagster, thin: assets, checks, schedules, sensors and resources over the pipeline's functions.

No science and no SQL lives here: an asset reads, calls, writes and reports.
"""
