"""Forecasters and the count distributions behind their intervals."""
