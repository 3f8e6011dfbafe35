"""A real Postgres without a set-up: it starts by itself in a folder, closed to everybody but the three roles."""

from engine.state.embedded.server import EmbeddedServer, is_running, start_embedded

__all__ = ["EmbeddedServer", "is_running", "start_embedded"]
