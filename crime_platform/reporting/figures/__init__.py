"""The pictures of the quality report and the page."""
