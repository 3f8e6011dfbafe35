"""Tuning prompts: versions and sets, checks while writing, examples from labels, and ways to other tools."""
