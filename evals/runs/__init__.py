"""Runs as they are kept: a folder each, which is the record, and a DuckDB index that can be rebuilt from them."""
