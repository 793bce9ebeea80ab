"""What the page lets people take away: CSV, GeoJSON, GeoParquet."""
