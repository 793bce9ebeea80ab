"""Open-data APIs: what is asked of them, kept of them, and when."""
