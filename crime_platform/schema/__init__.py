"""The published tables and views: their columns, comments, titles and values."""
