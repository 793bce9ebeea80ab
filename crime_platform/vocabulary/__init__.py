"""The words and tables everyone shares: areas, incidents, time steps, forecasts, paths."""
