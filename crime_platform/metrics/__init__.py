"""Scores of forecasts: sums first, ratios last."""
