"""Judging the engine: replaying conversations, keeping runs, and (later) scoring and comparing them."""
