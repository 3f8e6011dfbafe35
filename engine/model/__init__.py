"""Values of the engine: frozen, with derived properties only."""
