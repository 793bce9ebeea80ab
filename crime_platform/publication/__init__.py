"""The release: what may be published, and how readers never see half of it."""
