"""A publisher's files as they come: unpacked, recoded, known by kind, time and hash."""
