"""Bringing recorded conversations into a data set folder: one module per format."""
