"""Inference over conversations: intervals, p-values, corrections, and how small a difference could be seen."""
